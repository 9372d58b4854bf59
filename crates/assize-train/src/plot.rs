//! The learning curve of a run, as SVG: loss and figures over tokens.

use crate::watch::Line;
use anyhow::Context as _;
use plotters::prelude::*;
use std::path::Path;

const SIZE: (u32, u32) = (900, 620);
/// Figures that are drawn, as [`crate::measure::Figures`] names them.
const FIGURES: [&str; 7] = [
    "auroc.prompt_harmful",
    "auroc.response_harmful",
    "auroc.response_refusal",
    "auroc.adversarial",
    "r.harm_mass",
    "r.log_harm_mass",
    "r.benefit_mass",
];

/// Draws a history into a file.
///
/// # Errors
/// When there is no history, or the file can't be written.
pub fn learning_curve(history: &Path, target: &Path) -> anyhow::Result<()> {
    let text =
        std::fs::read_to_string(history).with_context(|| format!("can't read `{}`", history.display()))?;
    let lines: Vec<Line> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    draw(&lines, target).map_err(|error| anyhow::anyhow!("can't draw `{}`: {error}", target.display()))
}

fn draw(lines: &[Line], target: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::new(target, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let (upper, lower) = root.split_vertically(SIZE.1 / 2);
    let millions = |line: &Line| f64::from(u32::try_from(line.tokens / 1000).unwrap_or(u32::MAX)) / 1000.0;
    let end = lines.last().map_or(1.0, millions).max(0.001);
    let losses: Vec<(f64, f64)> =
        lines.iter().filter_map(|line| Some((millions(line), line.loss?.iter().sum()))).collect();
    let highest = losses.iter().map(|(_, loss)| *loss).fold(0.1, f64::max);
    let mut chart = ChartBuilder::on(&upper)
        .caption("Loss by lesson: mean of 10 steps", ("sans-serif", 16))
        .margin(8)
        .x_label_area_size(28)
        .y_label_area_size(44)
        .build_cartesian_2d(0.0..end, 0.0..highest)?;
    chart.configure_mesh().x_desc("million tokens").draw()?;
    chart.draw_series(LineSeries::new(losses, &BLUE))?;
    let mut chart = ChartBuilder::on(&lower)
        .caption("Held-out rows: area under the curve, correlation", ("sans-serif", 16))
        .margin(8)
        .x_label_area_size(28)
        .y_label_area_size(44)
        .build_cartesian_2d(0.0..end, 0.5..1.0)?;
    chart.configure_mesh().x_desc("million tokens").draw()?;
    for (index, name) in FIGURES.iter().enumerate() {
        let points: Vec<(f64, f64)> = lines
            .iter()
            .filter_map(|line| Some((millions(line), *line.figures.as_ref()?.get(*name)?)))
            .collect();
        let colour = Palette99::pick(index).to_rgba();
        let series = chart.draw_series(LineSeries::new(points, colour.stroke_width(2)).point_size(3))?;
        series
            .label(*name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK)
        .draw()?;
    root.present()?;
    Ok(())
}
