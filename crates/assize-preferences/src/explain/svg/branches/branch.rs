//! One branch: its box, and its leaves, each with a mark and a line of text.

use super::columns::{
    ACTION, ARROW, BENEFIT_SEVERITY, BOX, BOX_WIDTH, Column, EFFECT, MARK, SEVERITY, SIZE, SMALL, SPINE, WHO,
};
use crate::explain::svg::canvas::{Area, Canvas, Dashes, Point, Stroke, Type};
use crate::explain::svg::describe::{count, points, signed};
use crate::explain::svg::palette::{LINE, MUTED, PANEL, TEXT, opacity, radius};
use crate::explain::svg::text::{BOLDER, fit, wrap};
use crate::explain::weighing::Kind;
use crate::explain::{BranchView, LeafView};

/// Heights, and the space between two branches.
const ROW: f64 = 22.0;
const MORE: f64 = 16.0;
const LEAST_BOX: f64 = 48.0;
const BETWEEN: f64 = 10.0;

/// Returns the middle of the box, and where the next branch begins.
pub(super) fn draw(
    canvas: &mut Canvas,
    colour: &'static str,
    branch: &BranchView,
    (top, most): (f64, usize),
) -> (f64, f64) {
    let (shown, others) = branch.examples.split_at(branch.examples.len().min(most));
    let says_more = branch.shares.is_none() && !others.is_empty();
    #[expect(clippy::cast_precision_loss, reason = "a few rows")]
    let rows = shown.len() as f64 * ROW + if says_more { MORE } else { 0.0 };
    let height = rows.max(LEAST_BOX);
    let middle = Point { x: BOX + BOX_WIDTH, y: top + height / 2.0 };
    // The stronger, the broader.
    let stem = Stroke::solid(colour, (1.0 + 1.5 * branch.weight()).min(8.0));
    canvas.line(Point { x: SPINE, ..middle }, Point { x: BOX, ..middle }, stem);
    draw_box(canvas, colour, branch, Area { x: BOX, y: top, width: BOX_WIDTH, height });
    let first = top + (height - rows) / 2.0;
    for (place, leaf) in shown.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "a few rows")]
        let mark = Point { x: MARK, y: first + (place as f64 + 0.5) * ROW };
        let rim = radius(leaf.severity.extent);
        canvas.curve(middle, Point { x: mark.x - rim, ..mark }, Stroke::solid(LINE, 1.2));
        draw_leaf(canvas, colour, leaf, mark);
    }
    if says_more {
        let text = format!("and {} more", count(others.len(), "leaf", "leaves"));
        canvas.text(Point { x: WHO.x, y: first + rows - 4.0 }, Type::new(SMALL, MUTED), &text);
    }
    (middle.y, top + height + BETWEEN)
}

fn draw_box(canvas: &mut Canvas, colour: &'static str, branch: &BranchView, area: Area) {
    canvas.rect(area, 5.0, PANEL);
    canvas.rect(Area { width: 4.0, ..area }, 2.0, colour);
    let x = area.x + 12.0;
    let room = area.width - 14.0;
    let title = Type::new(12.0, TEXT).bold();
    let lines = wrap(branch.name.title, BOLDER * title.size, room, 2);
    #[expect(clippy::cast_precision_loss, reason = "two lines")]
    let text_height = lines.len() as f64 * 14.0 + 13.0;
    let mut y = area.y + (area.height - text_height) / 2.0 + 10.0;
    for line in &lines {
        canvas.text(Point { x, y }, title, line);
        y += 14.0;
    }
    let below = format!("{} by {}", signed(points(branch)), leaves(branch));
    canvas.text(Point { x, y }, Type::new(SMALL, MUTED), &fit(&below, SMALL, room));
}

fn leaves(branch: &BranchView) -> String {
    match branch.shares {
        Some(_) => format!("{:.1} leaves", branch.leaves),
        None => count(branch.examples.len(), "leaf", "leaves"),
    }
}

fn draw_leaf(canvas: &mut Canvas, colour: &'static str, leaf: &LeafView, mark: Point) {
    let dashes = if leaf.immediate { Dashes::None } else { Dashes::Short };
    let rim = Stroke { colour, width: 1.2, dashes };
    canvas.disc(mark, radius(leaf.severity.extent), opacity(leaf.severity.likelihood), rim);
    let style = Type::new(SIZE, if leaf.counts { TEXT } else { MUTED });
    let y = mark.y + 4.0;
    let mut write = |column: Column, style: Type, text: &str| {
        canvas.text(Point { x: column.x, y }, style, &fit(text, style.size, column.width));
    };
    write(WHO, style, leaf.stakeholder.title);
    let severity = format!("{}, {}", leaf.extent.title, leaf.likelihood.title);
    if leaf.kind == Kind::Benefit {
        write(BENEFIT_SEVERITY, Type::new(SMALL, MUTED), &severity);
        return;
    }
    let arrow = |column: Column| Column { x: column.x - ARROW + 1.0, width: ARROW };
    write(arrow(ACTION), Type::new(SIZE, MUTED), "→");
    write(ACTION, style, leaf.action.map_or("(not named)", |action| action.title));
    write(arrow(EFFECT), Type::new(SIZE, MUTED), "→");
    write(EFFECT, style, leaf.effect.title);
    write(SEVERITY, Type::new(SMALL, MUTED), &severity);
}
