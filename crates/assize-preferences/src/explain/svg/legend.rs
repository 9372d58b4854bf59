//! What the marks mean, below everything.

use super::canvas::{Canvas, Dashes, Point, Stroke, Type};
use super::palette::{AGAINST, IN_FAVOUR, LINE, MARGIN, MUTED, WIDTH, opacity, radius};
use super::text::width;
use crate::explain::phrases;
use assize_domain::{Extent, Likelihood};

/// Of the texts.
const SIZE: f64 = 10.5;

/// One mark and what it means.
struct Mark {
    colour: &'static str,
    extent: Extent,
    likelihood: Likelihood,
    dashes: Dashes,
    text: &'static str,
}

/// Returns where it ends.
pub(super) fn draw(canvas: &mut Canvas, top: f64) -> f64 {
    let y = top + 26.0;
    let edge = |x| Point { x, y: top + 8.0 };
    canvas.line(edge(MARGIN), edge(WIDTH - MARGIN), Stroke::solid(LINE, 1.0));
    let mut x = MARGIN;
    for mark in marks() {
        let size = radius(mark.extent);
        x += size;
        let rim = Stroke { colour: mark.colour, width: 1.2, dashes: mark.dashes };
        canvas.disc(Point { x, y: y - 4.0 }, size, opacity(mark.likelihood), rim);
        x += size + 4.0;
        canvas.text(Point { x, y }, Type::new(SIZE, MUTED), mark.text);
        x += width(mark.text, SIZE) + 8.0;
    }
    y
}

fn marks() -> Vec<Mark> {
    let usual = |colour, text| Mark {
        colour,
        extent: Extent::Substantial,
        likelihood: Likelihood::High,
        dashes: Dashes::None,
        text,
    };
    let mut marks = vec![usual(AGAINST, "harm"), usual(IN_FAVOUR, "benefit")];
    marks.extend(Extent::ALL.map(|extent| Mark { extent, ..usual(MUTED, phrases::extent(extent)) }));
    marks.extend(
        Likelihood::ALL.map(|one| Mark { likelihood: one, ..usual(MUTED, phrases::likelihood(one)) }),
    );
    marks.push(Mark {
        dashes: Dashes::Short,
        likelihood: Likelihood::Medium,
        ..usual(MUTED, "in the long run")
    });
    marks
}
