//! The tree and the verdict as a picture for people. Above, from left to right: the decision with its reasons, and the
//! contributions, which add up to the score, with the thresholds. Below: harms by category and benefits by effect, each
//! with its likeliest or heaviest leaves: who, by what, with which effect, how severe.
//!
//! Self-contained: no script, no style sheet, no font, no link, no id. The same input gives the same text.

mod branches;
mod canvas;
mod describe;
mod legend;
mod palette;
mod summary;
mod text;
mod waterfall;

use super::TreeView;
use assize_domain::Verdict;
use canvas::Canvas;
use palette::MARGIN;

/// Space between the upper and the lower half.
const GAP: f64 = 30.0;

/// Draws one verdict and its tree as an SVG document, 960 wide and as high as needed. Numbers in it are rounded; the
/// exact ones are in the view and the verdict. Its texts are ours and the profile's, never a conversation's.
pub fn tree_svg(view: &TreeView, verdict: &Verdict) -> String {
    let mut canvas = Canvas::default();
    let left = summary::draw(&mut canvas, view, verdict, MARGIN);
    let right = waterfall::draw(&mut canvas, verdict, MARGIN);
    let below = branches::draw(&mut canvas, view, left.max(right) + GAP);
    let bottom = legend::draw(&mut canvas, below);
    canvas.finish(bottom + MARGIN, &describe::title(view, verdict), &describe::description(view, verdict))
}
