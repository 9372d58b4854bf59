//! The right of the upper half: how each judged subject's contributions add up to its score, and where the thresholds
//! lie.

mod scale;
mod steps;

use super::canvas::{Area, Canvas, Dashes, Point, Stroke, Type};
use super::describe::signed;
use super::palette::{AGAINST, IN_FAVOUR, LINE, MARGIN, MUTED, TEXT, WIDTH, zone};
use super::summary;
use super::text::fit;
use assize_domain::{Decision, SubjectVerdict, Verdict};
use scale::Scale;
use steps::{Step, steps};

/// Where labels begin, and where bars begin and end.
const LEFT: f64 = MARGIN + summary::WIDTH + 32.0;
const BARS: f64 = LEFT + 172.0;
const BARS_END: f64 = WIDTH - MARGIN - 56.0;
/// Height of a row, and of the bar in it.
const ROW: f64 = 21.0;
const BAR: f64 = 11.0;
/// Room above the rows for the names of the thresholds, a line each.
const NAMES: f64 = 34.0;

/// A threshold is told to the thousandth where it differs by this from the nearest hundredth.
const FINE: f64 = 0.0005;

/// Returns where it ends.
pub(super) fn draw(canvas: &mut Canvas, verdict: &Verdict, top: f64) -> f64 {
    let scale = Scale::new(verdict, BARS, BARS_END);
    let mut y = top;
    for (place, subject) in verdict.subjects.iter().enumerate() {
        let decides = if place == 0 && verdict.subjects.len() > 1 { " (decides)" } else { "" };
        let heading = format!("{}{decides}: how the score adds up, in log-odds", subject.subject);
        canvas.text(Point { x: LEFT, y: y + 13.0 }, Type::new(13.0, TEXT).bold(), &heading);
        y = sum(canvas, &scale, subject, y + 22.0) + 24.0;
    }
    y - 24.0
}

fn sum(canvas: &mut Canvas, scale: &Scale, subject: &SubjectVerdict, top: f64) -> f64 {
    let steps = steps(subject);
    #[expect(clippy::cast_precision_loss, reason = "a dozen rows")]
    let height = (steps.len() + 1) as f64 * ROW;
    let first = top + NAMES;
    zones(canvas, scale, first, height);
    let mut at = 0.0;
    for (place, step) in steps.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "a dozen rows")]
        let y = first + place as f64 * ROW;
        row(canvas, scale, step, (at, y));
        at += step.points;
    }
    let end = first + height;
    let total = Step { label: "sum".to_owned(), points: subject.score, colour: TEXT };
    canvas.line(
        Point { x: LEFT, y: end - ROW },
        Point { x: WIDTH - MARGIN, y: end - ROW },
        Stroke::solid(LINE, 1.0),
    );
    row(canvas, scale, &total, (0.0, end - ROW));
    thresholds(canvas, scale, (top, end));
    end
}

/// What a score at each place is decided as.
fn zones(canvas: &mut Canvas, scale: &Scale, y: f64, height: f64) {
    for (decision, from, to) in scale.zones() {
        if to > from {
            canvas.rect(Area { x: from, y, width: to - from, height }, 0.0, zone(decision));
        }
    }
    let zero = scale.place(0.0);
    canvas.line(Point { x: zero, y }, Point { x: zero, y: y + height }, Stroke::solid(LINE, 1.0));
}

/// One contribution, from where the ones before it have come to.
fn row(canvas: &mut Canvas, scale: &Scale, step: &Step, (from, top): (f64, f64)) {
    let base = top + ROW / 2.0 + 4.0;
    let label = Type::new(11.5, TEXT);
    let style = if step.colour == TEXT { label.bold() } else { label };
    canvas.text(
        Point { x: BARS - 10.0, y: base },
        style.end(),
        &fit(&step.label, label.size, BARS - LEFT - 10.0),
    );
    canvas.text(Point { x: WIDTH - MARGIN, y: base }, style.end(), &signed(step.points));
    let (a, b) = (scale.place(from), scale.place(from + step.points));
    let (left, right) = (a.min(b), a.max(b));
    let bar = Area { x: left, y: top + (ROW - BAR) / 2.0, width: (right - left).max(1.0), height: BAR };
    canvas.rect(bar, 1.5, step.colour);
    if step.colour != TEXT {
        // On to where the next one begins.
        let y = bar.y + BAR;
        canvas.line(Point { x: b, y }, Point { x: b, y: y + ROW - BAR }, Stroke::solid(MUTED, 0.6));
    }
}

/// Dashed lines with their names, each on a line of its own so that they never overlap.
fn thresholds(canvas: &mut Canvas, scale: &Scale, (top, end): (f64, f64)) {
    for (decision, line) in [(Decision::Review, 0.0), (Decision::Block, 1.0)] {
        let y = top + 11.0 + line * 14.0;
        let value = scale.threshold(decision);
        let is_fine = ((value * 100.0).round() / 100.0 - value).abs() > FINE;
        let text =
            if is_fine { format!("{decision} at {value:.3}") } else { format!("{decision} at {value:.2}") };
        let style = Type::new(10.5, MUTED);
        match scale.cut(decision) {
            Some(x) => {
                let stroke = Stroke { colour: TEXT, width: 1.0, dashes: Dashes::Short };
                canvas.line(Point { x, y: y - 8.0 }, Point { x, y: end }, stroke);
                let is_left = x - BARS > (BARS_END - BARS) / 2.0;
                let (x, style) = if is_left { (x - 4.0, style.end()) } else { (x + 4.0, style) };
                canvas.text(Point { x, y }, style, &text);
            }
            None => canvas.text(Point { x: BARS_END, y }, style.end(), &format!("{text}, off the scale")),
        }
    }
}

/// The colour of a contribution.
fn colour(points: f64) -> &'static str {
    if points < 0.0 { IN_FAVOUR } else { AGAINST }
}
