use std::{ops::Range, path::Path};

use plotters::prelude::*;

use crate::Error;

/// Lines over logarithmic axes.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    pub(super) title: &'static str,
    pub(super) x: &'static str,
    pub(super) y: &'static str,
    pub(super) series: Vec<Series>,
}

/// One line.
#[derive(Clone, Debug)]
pub(super) struct Series {
    pub(super) name: String,
    /// Number of its colour.
    pub(super) colour: usize,
    /// Whether it is what this is about, and is drawn thicker.
    pub(super) is_ours: bool,
    pub(super) points: Vec<(f64, f64)>,
}

const SIZE: (u32, u32) = (880, 500);

/// Part of the width that the legend takes, right of the lines.
const LEGEND: u32 = 190;

/// Colours that differ in light and hue, on white, for who does not see all hues, too.
const COLOURS: [RGBColor; 10] = [
    RGBColor(0xd5, 0x2b, 0x1e),
    RGBColor(0xe6, 0x9f, 0x00),
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xcc, 0x79, 0xa7),
    RGBColor(0x56, 0xb4, 0xe9),
    RGBColor(0x8c, 0x56, 0x4b),
    RGBColor(0x7f, 0x3c, 0xbf),
    RGBColor(0x99, 0x99, 0x99),
    RGBColor(0x22, 0x22, 0x22),
];

impl Chart {
    /// Writes it as SVG; nothing when there is nothing to see.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub(super) fn draw(&self, file: &Path) -> Result<(), Error> {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let (Some(x), Some(y)) = (
            around(points().map(|point| point.0), 1.0),
            around(points().map(|point| point.1), 1.3),
        ) else {
            return Ok(());
        };
        // The path only goes to the backend, which takes no other kind.
        let area = SVGBackend::new(file, SIZE).into_drawing_area();
        // Of its own, to be read on a dark page, too.
        area.fill(&WHITE).map_err(text)?;
        let (left, legend) = area.split_horizontally(SIZE.0 - LEGEND);
        let mut chart = ChartBuilder::on(&left)
            .caption(self.title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(72)
            .build_cartesian_2d(x.log_scale(), y.log_scale())
            .map_err(text)?;
        chart
            .configure_mesh()
            .x_desc(self.x)
            .y_desc(self.y)
            .x_label_formatter(&|value| short(*value))
            .y_label_formatter(&|value| short(*value))
            .light_line_style(WHITE)
            .draw()
            .map_err(text)?;
        let with_points = self
            .series
            .iter()
            .filter(|series| !series.points.is_empty());
        for (line, series) in with_points.enumerate() {
            let style = series.style();
            let points = series.points.iter().copied();
            chart
                .draw_series(LineSeries::new(points.clone(), style))
                .map_err(text)?;
            let dots = points.map(|point| Circle::new(point, 3, style.filled()));
            chart.draw_series(dots).map_err(text)?;
            let y = 60 + 22 * line as i32;
            let sample = PathElement::new([(0, y), (22, y)], style);
            legend.draw(&sample).map_err(text)?;
            let name = Text::new(series.name.clone(), (28, y - 7), ("sans-serif", 14));
            legend.draw(&name).map_err(text)?;
        }
        area.present().map_err(text)
    }
}

impl Series {
    fn style(&self) -> ShapeStyle {
        COLOURS[self.colour % COLOURS.len()].stroke_width(if self.is_ours { 4 } else { 2 })
    }
}

/// From the least to the greatest, and by that factor further on both ends.
fn around(values: impl Iterator<Item = f64> + Clone, factor: f64) -> Option<Range<f64>> {
    let least = values.clone().min_by(f64::total_cmp)?;
    let greatest = values.max_by(f64::total_cmp)?;
    Some(least / factor..greatest * factor)
}

/// A number on an axis.
fn short(value: f64) -> String {
    match value {
        millions if millions >= 1e6 => format!("{}M", millions / 1e6),
        thousands if thousands >= 1e3 => format!("{}k", thousands / 1e3),
        value => format!("{value}"),
    }
}

fn text(error: impl std::fmt::Display) -> Error {
    error.to_string().into()
}

#[cfg(test)]
mod tests {
    use super::{Chart, Series, short};

    #[test]
    fn a_chart_has_its_lines_and_names() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("chart.svg");
        let series = Series {
            name: "somebody".into(),
            colour: 0,
            is_ours: true,
            points: vec![(1.0, 10.0), (1000.0, 20_000.0)],
        };
        let chart = Chart {
            title: "a title",
            x: "callers",
            y: "calls",
            series: vec![series],
        };
        chart.draw(&file).unwrap();
        let svg = std::fs::read_to_string(file).unwrap();
        for text in ["a title", "callers", "calls", "somebody", "<polyline"] {
            assert!(svg.contains(text), "{text}");
        }
    }

    #[test]
    fn large_numbers_are_short() {
        assert_eq!(short(10.0), "10");
        assert_eq!(short(20_000.0), "20k");
        assert_eq!(short(1_500_000.0), "1.5M");
    }
}
