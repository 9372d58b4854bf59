//! Where things stand from left to right, and how large texts are.

use crate::explain::svg::palette::MARGIN;

/// Where a text begins, and how wide it may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    pub(super) x: f64,
    pub(super) width: f64,
}

/// The line that branches hang on.
pub(super) const SPINE: f64 = MARGIN + 5.0;
/// The branch.
pub(super) const BOX: f64 = MARGIN + 20.0;
pub(super) const BOX_WIDTH: f64 = 136.0;
/// A leaf's mark.
pub(super) const MARK: f64 = BOX + BOX_WIDTH + 24.0;
/// Its texts; together with the arrows between them up to the margin.
pub(super) const WHO: Column = Column { x: MARK + 16.0, width: 112.0 };
pub(super) const ACTION: Column = Column { x: WHO.x + WHO.width + ARROW, width: 276.0 };
pub(super) const EFFECT: Column = Column { x: ACTION.x + ACTION.width + ARROW, width: 150.0 };
pub(super) const SEVERITY: Column = Column { x: EFFECT.x + EFFECT.width + 8.0, width: 138.0 };
/// Of a benefit there is no action, and the branch is the effect: the severity stands right after who has it.
pub(super) const BENEFIT_SEVERITY: Column = Column { x: ACTION.x, width: SEVERITY.width };
/// Room for an arrow.
pub(super) const ARROW: f64 = 16.0;

/// Letters of leaves, and of all that is said about them.
pub(super) const SIZE: f64 = 11.5;
pub(super) const SMALL: f64 = 10.5;
