//! The lower half: harms by category, benefits by effect, the ones with most points first, and what is left out.

mod branch;
mod columns;

use super::canvas::{Canvas, Point, Stroke, Type};
use super::describe::{count, missing, points, signed};
use super::palette::{AGAINST, IN_FAVOUR, MARGIN, MUTED};
use crate::explain::{BranchView, TreeForm, TreeView};
use columns::{ACTION, BENEFIT_SEVERITY, BOX, Column, EFFECT, SEVERITY, SMALL, SPINE, WHO};

/// Branches with less than this are not drawn: in a verdict's sum they are nothing.
const LEAST_POINTS: f64 = 0.05;
/// Branches and leaves that fit on a page.
const MOST_HARMS: usize = 8;
const MOST_BENEFITS: usize = 5;
/// Of an expected branch the first leaf or two say what it is about, the others are variants.
const MOST_EXPECTED: usize = 2;
const MOST_REPORTED: usize = 4;

const HARM_COLUMNS: [(Column, &str); 4] =
    [(WHO, "who"), (ACTION, "by what"), (EFFECT, "with which effect"), (SEVERITY, "how severe")];
const BENEFIT_COLUMNS: [(Column, &str); 2] = [(WHO, "who"), (BENEFIT_SEVERITY, "how much")];

/// One half of the tree as it is drawn.
struct Side<'a> {
    heading: &'static str,
    /// What is said where nothing is drawn.
    nothing: &'static str,
    branches: &'a [BranchView],
    most: usize,
    colour: &'static str,
    /// As "category" and "categories".
    words: (&'static str, &'static str),
    columns: &'static [(Column, &'static str)],
}

/// Returns where it ends.
pub(super) fn draw(canvas: &mut Canvas, view: &TreeView, top: f64) -> f64 {
    if let Some(why) = missing(view) {
        canvas.text(Point { x: MARGIN, y: top + 13.0 }, Type::new(13.0, MUTED), why);
        return top + 20.0;
    }
    let harms = Side {
        heading: "Harms",
        nothing: "no harm that counts",
        branches: &view.harms,
        most: MOST_HARMS,
        colour: AGAINST,
        words: ("category", "categories"),
        columns: &HARM_COLUMNS,
    };
    let benefits = Side {
        heading: "Benefits",
        nothing: "no benefit that counts",
        branches: &view.benefits,
        most: MOST_BENEFITS,
        colour: IN_FAVOUR,
        words: ("effect", "effects"),
        columns: &BENEFIT_COLUMNS,
    };
    let y = side(canvas, view, &harms, top);
    let y = side(canvas, view, &benefits, y + 14.0);
    notes(canvas, view, &[harms, benefits], y)
}

fn side(canvas: &mut Canvas, view: &TreeView, side: &Side<'_>, top: f64) -> f64 {
    canvas.text(Point { x: MARGIN, y: top + 13.0 }, Type::new(14.0, side.colour).bold(), side.heading);
    let (drawn, left_out) = split(side);
    let mut y = top + 24.0;
    if drawn.is_empty() {
        canvas.text(Point { x: BOX, y: y + 14.0 }, Type::new(SMALL, MUTED), side.nothing);
        y += 20.0;
    } else {
        for (column, heading) in side.columns {
            canvas.text(Point { x: column.x, y: top + 13.0 }, Type::new(SMALL, MUTED), heading);
        }
    }
    // The line that all branches hang on.
    let start = Point { x: SPINE, y };
    let mut end = start;
    for branch in drawn {
        (end.y, y) = branch::draw(canvas, side.colour, branch, (y, most_leaves(view)));
    }
    if !drawn.is_empty() {
        canvas.line(start, end, Stroke::solid(side.colour, 1.5));
    }
    if !left_out.is_empty() {
        let text = not_drawn(view, side, left_out);
        canvas.text(Point { x: BOX, y: y + 12.0 }, Type::new(SMALL, MUTED), &text);
        y += 18.0;
    }
    y
}

/// What is drawn of a side, and what is not.
fn split<'a>(side: &Side<'a>) -> (&'a [BranchView], &'a [BranchView]) {
    let strong = side.branches.iter().filter(|branch| branch.weight() >= LEAST_POINTS).count();
    side.branches.split_at(strong.min(side.most))
}

const fn most_leaves(view: &TreeView) -> usize {
    match view.form {
        TreeForm::Reported => MOST_REPORTED,
        TreeForm::Expected | TreeForm::NotRequested | TreeForm::Unusable => MOST_EXPECTED,
    }
}

/// What the branches that are not drawn hold.
fn not_drawn(view: &TreeView, side: &Side<'_>, branches: &[BranchView]) -> String {
    let branch_count = count(branches.len(), side.words.0, side.words.1);
    let points = signed(branches.iter().map(points).sum());
    match view.form {
        TreeForm::Reported => {
            let leaves = branches.iter().map(|branch| branch.examples.len()).sum();
            format!("not drawn: {branch_count} with {}, {points} together", count(leaves, "leaf", "leaves"))
        }
        TreeForm::Expected | TreeForm::NotRequested | TreeForm::Unusable => {
            format!("not drawn: {branch_count}, {points} together")
        }
    }
}

/// What has to be known to read it.
fn notes(canvas: &mut Canvas, view: &TreeView, sides: &[Side<'_>; 2], top: f64) -> f64 {
    let mut notes = Vec::new();
    if view.form == TreeForm::Reported {
        let drawn = sides.iter().flat_map(|side| split(side).0).map(|branch| branch.examples.len());
        let drawn: usize = drawn.map(|leaves| leaves.min(MOST_REPORTED)).sum();
        let all: usize =
            sides.iter().flat_map(|side| side.branches).map(|branch| branch.examples.len()).sum();
        notes.push(format!("{drawn} of {} drawn", count(all, "leaf is", "leaves are")));
    }
    let all = || view.harms.iter().chain(&view.benefits);
    if let Some(subject) =
        all().find(|branch| branch.points.len() > 1).and_then(|branch| branch.points.first())
    {
        notes.push(format!("points are those of the {}, which decides", subject.subject));
    }
    if all().any(|branch| branch.examples.iter().any(|leaf| !leaf.counts)) {
        notes.push("grey: tells of the same effect as a heavier leaf and counts no more".to_owned());
    }
    if view.unreadable > 0 {
        notes.push(format!("{} could not be read", count(view.unreadable, "leaf", "leaves")));
    }
    let mut y = top;
    for note in notes {
        y += 16.0;
        canvas.text(Point { x: MARGIN, y }, Type::new(SMALL, MUTED), &note);
    }
    y
}
