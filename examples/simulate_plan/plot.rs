//! The picture: how far each plan comes, where it is stopped, and how many calls are hurt by then.

use std::error::Error;
use std::path::Path;

use cutover::SystemMode;
use cutover::simulate::{Moment, Played};
use plotters::coord::Shift;
use plotters::prelude::*;

use crate::show::{time, whole};
use crate::{Cell, Row};

const SIZE: (u32, u32) = (1_000, 1_060);
const COLOURS: [RGBColor; 3] = [RGBColor(31, 119, 180), RGBColor(44, 160, 44), RGBColor(214, 120, 20)];
const GREY: RGBColor = RGBColor(190, 190, 190);

type Drawn = Result<(), Box<dyn Error>>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

pub(crate) fn draw(path: &Path, rows: &[Row]) -> Drawn {
    let [quiet, broken, ..] = rows else { return Err("there is nothing to draw".into()) };
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let (upper, lower) = root.split_vertically(720);
    let panels = upper.split_evenly((3, 1));
    for (((panel, good), bad), colour) in panels.iter().zip(&quiet.cells).zip(&broken.cells).zip(COLOURS) {
        rollouts(panel, good, bad, broken.case.name, colour)?;
    }
    hurt(&lower, rows)?;
    root.present()?;
    Ok(())
}

/// The share of new over time: without a fault in grey, with one in colour, up to the breach.
fn rollouts(panel: &Area<'_>, good: &Cell, bad: &Cell, fault: &str, colour: RGBColor) -> Drawn {
    let most = days(good.first.took);
    let title = format!("{}: share of users on new; grey: nothing breaks, colour: {fault}", good.plan);
    let mut chart = ChartBuilder::on(panel)
        .caption(title, ("sans-serif", 21))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(52)
        .build_cartesian_2d(0.0..most * 1.02, 0.0..110.0)?;
    chart.configure_mesh().label_style(("sans-serif", 15)).x_desc("days").y_desc("%").light_line_style(WHITE).draw()?;
    chart.draw_series(LineSeries::new(steps(&good.first), GREY.stroke_width(3)))?;
    chart.draw_series(LineSeries::new(steps(&bad.first), colour.stroke_width(3)))?;
    if let Some(breach) = &bad.first.breach {
        let moments = bad.first.timeline.iter().filter(|moment| moment.at <= breach.at);
        let height = moments.map(share).fold(0.0, f64::max);
        let at = (days(breach.at), height);
        let hurt = bad.first.broken.map_or(0, |broken| broken.hurt_calls);
        let said = format!("rolled back {} after it broke, {hurt} calls hurt", time(breach.delay.as_secs_f64()));
        chart.draw_series([Circle::new(at, 6, RED.filled())])?;
        let said = EmptyElement::at(at) + Text::new(said, (12, -18), ("sans-serif", 18).into_font().color(&RED));
        chart.draw_series([said])?;
    }
    Ok(())
}

fn hurt(panel: &Area<'_>, rows: &[Row]) -> Drawn {
    let broken: Vec<&Row> = rows.iter().filter(|row| row.cells.iter().any(|cell| cell.summary.broken > 0)).collect();
    let value = |cell: &Cell| cell.summary.hurt_calls.median().unwrap_or_default();
    let most = broken.iter().flat_map(|row| &row.cells).map(value).fold(1.0, f64::max);
    let end = i32::try_from(broken.len())?;
    let mut chart = ChartBuilder::on(panel)
        .caption("calls hurt (median; each step up is ten times as many)", ("sans-serif", 21))
        .margin(12)
        .x_label_area_size(36)
        .y_label_area_size(80)
        .build_cartesian_2d(0.0..f64::from(end), (1.0..most * 5.0).log_scale())?;
    let name = |at: &f64| {
        let is_middle = (at.fract() - 0.5).abs() < 1e-6;
        let row = (0..).zip(&broken).find(|(number, _)| is_middle && (f64::from(*number) + 0.5 - at).abs() < 0.01);
        row.map(|(_, row): (i32, _)| row.case.name.to_owned()).unwrap_or_default()
    };
    let ticks = broken.len() * 2 + 1;
    chart
        .configure_mesh()
        .label_style(("sans-serif", 15))
        .disable_x_mesh()
        .light_line_style(WHITE)
        .x_labels(ticks)
        .x_label_formatter(&name)
        .y_label_formatter(&|calls| whole(*calls))
        .draw()?;
    for (number, row) in (0_i32..).zip(&broken) {
        for ((place, cell), colour) in (0_i32..).zip(&row.cells).zip(COLOURS) {
            let left = f64::from(number) + 0.14 + 0.24 * f64::from(place);
            let height = value(cell).max(1.0);
            chart.draw_series([Rectangle::new([(left, 1.0), (left + 0.22, height)], colour.filled())])?;
            let font = ("sans-serif", 15).into_font();
            let label = EmptyElement::at((left, height)) + Text::new(label(cell), (2, -14), font);
            chart.draw_series([label])?;
        }
    }
    Ok(())
}

/// Short, since a bar is narrow.
fn label(cell: &Cell) -> String {
    match cell.summary.hurt_calls.median() {
        None => "too late".to_owned(),
        Some(calls) if calls < 10_000.0 => whole(calls),
        Some(calls) if calls < 1_000_000.0 => format!("{:.0}k", calls / 1_000.0),
        Some(calls) => format!("{:.1}M", calls / 1_000_000.0),
    }
}

/// The corners of the line.
fn steps(played: &Played) -> Vec<(f64, f64)> {
    let mut corners = Vec::new();
    let mut height = 0.0;
    for moment in &played.timeline {
        corners.push((days(moment.at), height));
        height = share(moment);
        corners.push((days(moment.at), height));
    }
    corners.push((days(played.took), height));
    corners
}

fn share(moment: &Moment) -> f64 {
    if moment.mode == SystemMode::NewOnly { 100.0 } else { moment.rollout.percent() }
}

fn days(time: std::time::Duration) -> f64 {
    time.as_secs_f64() / 86_400.0
}
