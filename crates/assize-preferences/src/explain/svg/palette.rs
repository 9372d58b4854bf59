//! Colours, sizes and places of the picture. It has its own light background, so that it reads the same on a dark page.

use assize_domain::{Decision, Extent, Likelihood};

/// Width of the picture; its height follows from what is in it.
pub(super) const WIDTH: f64 = 960.0;
/// Empty space at the edges.
pub(super) const MARGIN: f64 = 24.0;

pub(super) const PAPER: &str = "#ffffff";
pub(super) const PANEL: &str = "#f6f8fa";
pub(super) const LINE: &str = "#c9d1d9";
pub(super) const TEXT: &str = "#1f2328";
pub(super) const MUTED: &str = "#59636e";
/// Speaks against the conversation. Red and teal, which people who don't tell red from green tell apart.
pub(super) const AGAINST: &str = "#c4432b";
/// Speaks for it.
pub(super) const IN_FAVOUR: &str = "#1f7a8c";
/// The starting point, which is nobody's evidence.
pub(super) const START: &str = "#8c959f";

/// Behind the scores that are decided so.
pub(super) const fn zone(decision: Decision) -> &'static str {
    match decision {
        Decision::Allow => "#eaf5ee",
        Decision::Review => "#fdf3d9",
        Decision::Block => "#fbe6e1",
    }
}

/// White text on it has a contrast of at least 4.5.
pub(super) const fn badge(decision: Decision) -> &'static str {
    match decision {
        Decision::Allow => "#1a7f37",
        Decision::Review => "#8a5a00",
        Decision::Block => "#b42318",
    }
}

/// Radius of a leaf's mark.
pub(super) const fn radius(extent: Extent) -> f64 {
    match extent {
        Extent::Minor => 3.5,
        Extent::Significant => 5.0,
        Extent::Substantial => 6.5,
        Extent::Major => 8.0,
    }
}

/// Opacity of a leaf's mark.
pub(super) const fn opacity(likelihood: Likelihood) -> &'static str {
    match likelihood {
        Likelihood::Low => "0.2",
        Likelihood::Medium => "0.55",
        Likelihood::High => "1",
    }
}
