//! Two histograms of harmfulness, before and after, as one picture: self-contained SVG on a background of its own, the
//! same bytes for the same comparison.

mod parts;

use super::{BINS, Bin, ComparedProfile, Comparison};
use parts::{Label, escaped, grouped, line, plural, rounded, shortened, text};
use std::fmt::Write as _;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 564.0;
/// Wide enough for the label of a threshold at either end of the scale.
const LEFT: f64 = 92.0;
const AXIS: f64 = 580.0;
const BIN_WIDTH: f64 = 29.0;
const PLOT_HEIGHT: f64 = 140.0;
/// Where the bars of the two panels stand.
const BASELINES: [f64; 2] = [258.0, 478.0];
/// A flip among a million conversations is to be seen, too.
const LEAST_HEIGHT: f64 = 2.0;
const LONGEST_TITLE: usize = 50;

/// Colours that people with a colour vision deficiency tell apart, on white.
const SAME: &str = "#c3c9d1";
const STRICTER: &str = "#c2410c";
const MILDER: &str = "#1d6fb8";
const INK: &str = "#1f2933";
const FAINT: &str = "#616e7c";
/// Lines of thresholds: colour and what follows it.
const OWN: &str = "#1f2933\" stroke-width=\"1.5";
const OTHER: &str = "#616e7c\" stroke-width=\"1.5\" stroke-dasharray=\"2 4";

/// The histograms of harmfulness before and after, with the thresholds of both communities. Flips are coloured and stand at
/// the bottom of the bars, whose heights go by the square root of the numbers.
pub fn histogram_svg(comparison: &Comparison) -> String {
    let panels =
        [("Before", comparison.from(), comparison.to()), ("After", comparison.to(), comparison.from())];
    let bins = [comparison.before(), comparison.after()];
    let most = bins.iter().flat_map(|bins| bins.iter()).map(Bin::total).max().unwrap_or_default();
    let mut svg = head(comparison);
    for (((name, own, other), bins), baseline) in panels.into_iter().zip(bins).zip(BASELINES) {
        let panel = Panel { baseline, most };
        panel.title(&mut svg, name, own);
        panel.scale(&mut svg);
        panel.bars(&mut svg, bins);
        panel.thresholds(&mut svg, own, other);
    }
    legend(&mut svg);
    svg.push_str("</svg>\n");
    svg
}

fn head(comparison: &Comparison) -> String {
    let (from, to) = (escaped(&comparison.from().title), escaped(&comparison.to().title));
    let flips = comparison.flipped();
    let count = plural(comparison.total(), "conversation");
    let summary = format!("{count}, {} with another decision", grouped(flips.total()));
    let (stricter, milder) = (grouped(flips.stricter), grouped(flips.milder));
    let shift = comparison.mean_absolute_shift();
    let details = format!("{stricter} stricter, {milder} milder; harmfulness moves by {shift:.3} on average");
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" \
         height=\"{HEIGHT}\" role=\"img\" font-family=\"system-ui, 'Segoe UI', Helvetica, Arial, sans-serif\" \
         font-size=\"12\">\n<title>From {from} to {to}</title>\n<desc>Harmfulness of the same conversations under two \
         profiles, in bins of a twentieth. {summary}: {details}.</desc>\n\
         <rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"8\" fill=\"#ffffff\" stroke=\"#d5dae1\"/>\n",
        WIDTH - 1.0,
        HEIGHT - 1.0,
    );
    let large = " font-size=\"16\" font-weight=\"600\"";
    text(&mut svg, Label { x: 24.0, y: 32.0, anchor: "start", fill: INK, more: large }, &summary);
    text(&mut svg, Label { x: 24.0, y: 52.0, anchor: "start", fill: FAINT, more: "" }, &details);
    svg
}

/// One histogram.
struct Panel {
    /// Where its bars stand.
    baseline: f64,
    /// The largest number in a bin of either panel: both have one scale.
    most: u64,
}

impl Panel {
    fn top(&self) -> f64 {
        self.baseline - PLOT_HEIGHT
    }

    fn title(&self, svg: &mut String, name: &str, profile: &ComparedProfile) {
        let words = format!("{name}: {}", shortened(&profile.title, LONGEST_TITLE));
        let label =
            Label { x: LEFT, y: self.top() - 34.0, anchor: "start", fill: INK, more: " font-weight=\"600\"" };
        text(svg, label, &escaped(&words));
    }

    /// Of a number of conversations, in pixels.
    #[expect(clippy::cast_precision_loss, reason = "a length in pixels")]
    fn height(&self, count: u64) -> f64 {
        PLOT_HEIGHT * (count as f64 / self.most.max(1) as f64).sqrt()
    }

    /// Axis, numbers on it, and lines at all and a quarter of the largest number.
    fn scale(&self, svg: &mut String) {
        let right = LEFT + AXIS;
        let mut marks = vec![self.most / 4, self.most];
        marks.dedup();
        for mark in marks.into_iter().filter(|mark| *mark > 0) {
            let y = rounded(self.baseline - self.height(mark));
            line(svg, &format!("M{LEFT} {y}H{right}"), "#e4e8ed");
            let label = Label { x: LEFT - 8.0, y: y + 4.0, anchor: "end", fill: FAINT, more: "" };
            text(svg, label, &grouped(mark));
        }
        line(svg, &format!("M{LEFT} {}H{right}", self.baseline), FAINT);
        for tenth in [0.0, 0.2, 0.4, 0.6, 0.8, 1.0] {
            let label =
                Label { x: x(tenth), y: self.baseline + 17.0, anchor: "middle", fill: FAINT, more: "" };
            text(svg, label, &tenth.to_string());
        }
    }

    fn bars(&self, svg: &mut String, bins: &[Bin; BINS]) {
        let lefts = std::iter::successors(Some(LEFT), |left| Some(left + BIN_WIDTH));
        for (bin, left) in bins.iter().zip(lefts).filter(|(bin, _)| bin.total() > 0) {
            self.bar(svg, left, bin);
        }
    }

    /// Flips below, where they are seen, what stays above.
    fn bar(&self, svg: &mut String, left: f64, bin: &Bin) {
        let _ = writeln!(
            svg,
            "<g><title>{}: {} stricter, {} milder</title>",
            plural(bin.total(), "conversation"),
            grouped(bin.stricter),
            grouped(bin.milder),
        );
        let (mut count, mut reached) = (0, 0.0);
        for (more, colour) in [(bin.stricter, STRICTER), (bin.milder, MILDER), (bin.unchanged, SAME)] {
            if more == 0 {
                continue;
            }
            count += more;
            let height = f64::max(self.height(count), reached + LEAST_HEIGHT);
            let (x, y) = (rounded(left + 1.5), rounded(self.baseline - height));
            let (width, height_of_part) = (BIN_WIDTH - 3.0, rounded(height - reached));
            let _ = writeln!(
                svg,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height_of_part}\" fill=\"{colour}\"/>"
            );
            reached = height;
        }
        svg.push_str("</g>\n");
    }

    /// The own ones with their names: review to the left of its line, block to the right, so that they never meet.
    fn thresholds(&self, svg: &mut String, own: &ComparedProfile, other: &ComparedProfile) {
        let (top, bottom) = (self.top(), self.baseline);
        for threshold in [other.thresholds.review, other.thresholds.block] {
            let path = format!("M{} {top}V{bottom}", rounded(x(threshold)));
            line(svg, &path, "#ffffff\" stroke-opacity=\"0.7\" stroke-width=\"3");
            line(svg, &path, OTHER);
        }
        let named =
            [("review", own.thresholds.review, "end", -5.0), ("block", own.thresholds.block, "start", 5.0)];
        for (name, threshold, anchor, aside) in named {
            let x = rounded(x(threshold));
            line(svg, &format!("M{x} {}V{bottom}", top - 22.0), OWN);
            let label = Label { x: x + aside, y: top - 13.0, anchor, fill: INK, more: "" };
            text(svg, label, &format!("{name} {}", parts::threshold(threshold)));
        }
    }
}

/// Of a harmfulness.
fn x(harmfulness: f64) -> f64 {
    LEFT + AXIS * harmfulness
}

fn legend(svg: &mut String) {
    let (y, middle) = (HEIGHT - 36.0, HEIGHT - 40.0);
    let colours = [
        (LEFT, SAME, "same decision"),
        (218.0, STRICTER, "becomes stricter"),
        (354.0, MILDER, "becomes milder"),
    ];
    for (x, colour, name) in colours {
        let _ = writeln!(
            svg,
            "<rect x=\"{x}\" y=\"{}\" width=\"12\" height=\"12\" fill=\"{colour}\"/>",
            y - 10.0
        );
        text(svg, Label { x: x + 18.0, y, anchor: "start", fill: INK, more: "" }, name);
    }
    line(svg, &format!("M480 {middle}h20"), OWN);
    line(svg, &format!("M576 {middle}h20"), OTHER);
    text(svg, Label { x: 506.0, y, anchor: "start", fill: INK, more: "" }, "threshold");
    text(svg, Label { x: 602.0, y, anchor: "start", fill: INK, more: "" }, "of the other profile");
    let label = Label { x: LEFT, y: HEIGHT - 14.0, anchor: "start", fill: FAINT, more: "" };
    text(svg, label, "Bars: conversations by harmfulness; heights go by the square root of their number.");
}
