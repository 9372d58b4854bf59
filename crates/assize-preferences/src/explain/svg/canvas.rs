//! A sheet to draw on: the few shapes that the picture needs, as SVG text. Everything that is written is escaped here.

use super::palette::{MARGIN, PAPER, WIDTH};
use std::fmt::Write as _;

/// A place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// A rectangle: its upper left corner and its size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// How a line of text looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Type {
    /// In pixels.
    pub(super) size: f64,
    pub(super) colour: &'static str,
    pub(super) weight: Weight,
    pub(super) anchor: Anchor,
}

/// How heavy letters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Bold,
}

/// Which end of a text is at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    End,
}

impl Type {
    /// Regular letters that begin at their place.
    pub(super) const fn new(size: f64, colour: &'static str) -> Self {
        Self { size, colour, weight: Weight::Regular, anchor: Anchor::Start }
    }

    pub(super) const fn bold(self) -> Self {
        Self { weight: Weight::Bold, ..self }
    }

    pub(super) const fn end(self) -> Self {
        Self { anchor: Anchor::End, ..self }
    }
}

/// What has been drawn so far.
#[derive(Debug, Default)]
pub(super) struct Canvas {
    shapes: String,
}

impl Canvas {
    /// A filled rectangle with round corners.
    pub(super) fn rect(&mut self, area: Area, radius: f64, fill: &str) {
        let Area { x, y, width, height } = area;
        self.put(&format!(
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" rx="{radius:.1}" fill="{fill}"/>"#
        ));
    }

    /// A straight line.
    pub(super) fn line(&mut self, from: Point, to: Point, stroke: Stroke) {
        let Stroke { colour, width, dashes } = stroke;
        self.put(&format!(
            r#"<line x1="{:.1}" y1="{:.1}" x2="{:.1}" y2="{:.1}" stroke="{colour}" stroke-width="{width:.1}"{}/>"#,
            from.x,
            from.y,
            to.x,
            to.y,
            dashes.attribute()
        ));
    }

    /// A curve that leaves and arrives level.
    pub(super) fn curve(&mut self, from: Point, to: Point, stroke: Stroke) {
        let Stroke { colour, width, .. } = stroke;
        let middle = f64::midpoint(from.x, to.x);
        self.put(&format!(
            r#"<path d="M{:.1} {:.1}C{middle:.1} {:.1} {middle:.1} {:.1} {:.1} {:.1}" fill="none" stroke="{colour}" stroke-width="{width:.1}"/>"#,
            from.x, from.y, from.y, to.y, to.x, to.y
        ));
    }

    /// A disc with a rim.
    pub(super) fn disc(&mut self, centre: Point, radius: f64, opacity: &str, rim: Stroke) {
        let Stroke { colour, width, dashes } = rim;
        let Point { x, y } = centre;
        self.put(&format!(
            r#"<circle cx="{x:.1}" cy="{y:.1}" r="{radius:.1}" fill="{colour}" fill-opacity="{opacity}" stroke="{colour}" stroke-width="{width:.1}"{}/>"#,
            dashes.attribute()
        ));
    }

    /// A line of text; `at` is on its base line.
    pub(super) fn text(&mut self, at: Point, style: Type, text: &str) {
        let weight = match style.weight {
            Weight::Regular => "",
            Weight::Bold => r#" font-weight="bold""#,
        };
        let anchor = match style.anchor {
            Anchor::Start => "",
            Anchor::End => r#" text-anchor="end""#,
        };
        let (Point { x, y }, Type { size, colour, .. }) = (at, style);
        let text = escaped(text);
        self.put(&format!(
            r#"<text x="{x:.1}" y="{y:.1}" font-size="{size:.1}" fill="{colour}"{weight}{anchor}>{text}</text>"#
        ));
    }

    /// The whole picture, with what it shows for those who can't see it.
    pub(super) fn finish(self, height: f64, title: &str, description: &str) -> String {
        let (title, description) = (escaped(title), escaped(description));
        let fonts = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif";
        let sheet = Area { x: 0.0, y: 0.0, width: WIDTH, height };
        let mut paper = Self::default();
        paper.rect(sheet, MARGIN / 2.0, PAPER);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {WIDTH:.0} {height:.0}\" role=\"img\" font-family=\"{fonts}\">\n\
             <title>{title}</title>\n<desc>{description}</desc>\n{}{}</svg>\n",
            paper.shapes, self.shapes
        )
    }

    fn put(&mut self, shape: &str) {
        // Writing to a String can't fail.
        let _ = writeln!(self.shapes, "{shape}");
    }
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stroke {
    pub(super) colour: &'static str,
    pub(super) width: f64,
    pub(super) dashes: Dashes,
}

impl Stroke {
    /// Without gaps.
    pub(super) const fn solid(colour: &'static str, width: f64) -> Self {
        Self { colour, width, dashes: Dashes::None }
    }
}

/// Whether a line has gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dashes {
    None,
    Short,
}

impl Dashes {
    const fn attribute(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Short => r#" stroke-dasharray="3 2""#,
        }
    }
}

/// Text that is no markup. Characters that XML doesn't allow are left out.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\t' | '\n' | '\r' => escaped.push(' '),
            '\u{fffe}' | '\u{ffff}' => {}
            c if c.is_control() => {}
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_never_becomes_markup() {
        assert_eq!(escaped("<a href=\"x\">&'\u{0}\n"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39; ");
    }
}
