//! The left of the upper half: what was decided, for whom, by what, and the strongest reasons.

use super::canvas::{Area, Canvas, Point, Type};
use super::describe::{decided, share};
use super::palette::{MARGIN, MUTED, PAPER, TEXT, badge};
use super::text::{BOLDER, fit, wrap};
use crate::explain::TreeView;
use assize_domain::{DecidedBy, Verdict};

/// Of this part.
pub(super) const WIDTH: f64 = 260.0;
/// Of the coloured sign with the decision.
const BADGE: f64 = 58.0;
/// Reasons and lines of each: as many as fit beside the contributions of a usual verdict.
const MOST_REASONS: usize = 4;
const MOST_LINES: usize = 3;

/// Returns where it ends.
pub(super) fn draw(canvas: &mut Canvas, view: &TreeView, verdict: &Verdict, top: f64) -> f64 {
    let x = MARGIN;
    canvas.rect(Area { x, y: top, width: WIDTH, height: BADGE }, 8.0, badge(verdict.decision));
    let word = decided(verdict.decision);
    canvas.text(Point { x: x + 14.0, y: top + 26.0 }, Type::new(20.0, PAPER).bold(), word);
    let harmfulness = format!("harmfulness {} of 1", share(verdict.harmfulness));
    canvas.text(Point { x: x + 14.0, y: top + 46.0 }, Type::new(13.0, PAPER), &harmfulness);
    let mut y = top + BADGE + 24.0;
    let style = Type::new(14.0, TEXT).bold();
    for line in wrap(&view.title, BOLDER * style.size, WIDTH, 2) {
        canvas.text(Point { x, y }, style, &line);
        y += 17.0;
    }
    let style = Type::new(11.5, MUTED);
    canvas.text(Point { x, y }, style, &fit(by(verdict.decided_by), style.size, WIDTH));
    y += 10.0;
    reasons(canvas, verdict, y)
}

fn reasons(canvas: &mut Canvas, verdict: &Verdict, top: f64) -> f64 {
    let style = Type::new(12.0, TEXT);
    let mut y = top;
    for (place, reason) in verdict.reasons.iter().take(MOST_REASONS).enumerate() {
        y += 8.0;
        for (line, text) in wrap(&reason.text, style.size, WIDTH - 18.0, MOST_LINES).iter().enumerate() {
            y += 16.0;
            if line == 0 {
                let number = format!("{}.", place + 1);
                canvas.text(Point { x: MARGIN, y }, Type::new(12.0, MUTED), &number);
            }
            canvas.text(Point { x: MARGIN + 18.0, y }, style, text);
        }
    }
    y
}

const fn by(decided_by: DecidedBy) -> &'static str {
    match decided_by {
        DecidedBy::Thresholds => "decided by score and thresholds",
        DecidedBy::Floor(_) => "decided by a line for everyone",
        DecidedBy::Degradation(_) => "decided by what could not be read",
    }
}
