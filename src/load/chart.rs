//! A site's day as a picture: what flowed, what was granted, what was kept free and what was allowed.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// A minute of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Minute {
    /// Hours since the day began.
    pub hour: f64,
    /// What charging was allowed, amperes or watts.
    pub cap: f64,
    /// What flowed by the cars' meters.
    pub load: f64,
    /// What was granted.
    pub granted: f64,
    /// What could have flowed at the most, whatever failed.
    pub reserved: f64,
}

/// The picture cannot be drawn.
#[derive(Debug, thiserror::Error)]
#[error("the chart cannot be drawn: {0}")]
pub struct ChartError(String);

const SIZE: (u32, u32) = (1_000, 420);
const GRID: RGBColor = RGBColor(225, 225, 225);
const INK: RGBColor = RGBColor(60, 60, 60);
const CAP: RGBColor = RGBColor(190, 40, 40);
const LOAD: RGBColor = RGBColor(40, 120, 190);
const GRANTED: RGBColor = RGBColor(30, 140, 90);
const RESERVED: RGBColor = RGBColor(200, 140, 30);

/// A number of a minute.
type Part = fn(&Minute) -> f64;

/// A break of this many hours is drawn as a break: the node did not run.
const BREAK: f64 = 0.05;

/// Draws a day as SVG. Amperes and watts of the minutes are those of `unit`.
///
/// # Errors
/// When the drawing library refuses.
pub fn draw(title: &str, unit: &str, hours: f64, minutes: &[Minute]) -> Result<String, ChartError> {
    let mut svg = String::new();
    draw_on(&mut svg, title, unit, hours, minutes).map_err(|error| ChartError(error.to_string()))?;
    Ok(svg)
}

#[expect(clippy::float_arithmetic, reason = "a picture")]
fn draw_on(
    svg: &mut String,
    title: &str,
    unit: &str,
    hours: f64,
    minutes: &[Minute],
) -> Result<(), Box<dyn std::error::Error>> {
    let finite = |value: &f64| value.is_finite();
    let all = minutes.iter().flat_map(|minute| [minute.cap, minute.load, minute.granted, minute.reserved]);
    let top = all.filter(finite).fold(1.0_f64, f64::max) * 1.08;
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(title, ("sans-serif", 20, &INK))
        .margin(12)
        .x_label_area_size(34)
        .y_label_area_size(62)
        .build_cartesian_2d(0.0..hours, 0.0..top)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .bold_line_style(GRID)
        .axis_style(INK)
        .x_labels(13)
        .x_label_formatter(&|hour| format!("{hour:02.0}:00"))
        .y_desc(unit)
        .label_style(("sans-serif", 13, &INK))
        .draw()?;
    let part = |of: Part| stretches(minutes, of);
    for stretch in part(|minute| minute.load) {
        chart.draw_series(AreaSeries::new(stretch, 0.0, LOAD.mix(0.35)).border_style(LOAD))?;
    }
    let lines: [(Part, RGBColor); 3] = [
        (|minute| minute.reserved, RESERVED),
        (|minute| minute.granted, GRANTED),
        (|minute| minute.cap, CAP),
    ];
    for (of, colour) in lines {
        for stretch in part(of) {
            chart.draw_series(LineSeries::new(stretch, colour.stroke_width(2)))?;
        }
    }
    let legend = [(LOAD, "flowed"), (GRANTED, "granted"), (RESERVED, "kept free"), (CAP, "allowed for cars")];
    let anchored =
        |colour: &RGBColor| ("sans-serif", 14).into_font().color(colour).pos(Pos::new(HPos::Left, VPos::Top));
    for (place, (colour, word)) in (0..).zip(legend) {
        root.draw(&Text::new(word, (620 + place * 92, 14), anchored(&colour)))?;
    }
    root.present()?;
    Ok(())
}

/// The line of one number, broken where the minutes are.
#[expect(clippy::float_arithmetic, reason = "a picture")]
fn stretches(minutes: &[Minute], of: Part) -> Vec<Vec<(f64, f64)>> {
    let mut stretches: Vec<Vec<(f64, f64)>> = Vec::new();
    for minute in minutes {
        let value = of(minute);
        if !value.is_finite() {
            continue;
        }
        let point = (minute.hour, value);
        match stretches.last_mut() {
            Some(stretch) if stretch.last().is_some_and(|(hour, _)| minute.hour - hour < BREAK) => {
                stretch.push(point);
            }
            _ => stretches.push(vec![point]),
        }
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_break_is_drawn_as_a_break_and_what_is_no_number_not_at_all() {
        let minute =
            |hour: f64, load: f64| Minute { hour, cap: f64::INFINITY, load, granted: 0.0, reserved: 0.0 };
        let minutes = [minute(1.0, 5.0), minute(1.02, 6.0), minute(1.03, f64::NAN), minute(3.0, 7.0)];
        let loads = stretches(&minutes, |minute| minute.load);
        assert_eq!(loads, [vec![(1.0, 5.0), (1.02, 6.0)], vec![(3.0, 7.0)]]);
        assert!(stretches(&minutes, |minute| minute.cap).is_empty());
        let svg = draw("depot, L1 of grid", "A", 24.0, &minutes).unwrap();
        assert!(
            svg.starts_with("<svg") && svg.contains("depot, L1 of grid") && svg.contains("allowed for cars")
        );
    }
}
