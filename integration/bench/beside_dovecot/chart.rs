//! The ratios as bars, on a logarithmic scale.

use std::fmt::Write as _;

use super::rows::Row;

const LEFT: f64 = 330.0;
const WIDTH: f64 = 520.0;
const STEP: f64 = 26.0;
const TOP: f64 = 58.0;
/// The ratio at the right edge.
const MOST: f64 = 1_000.0;

/// An SVG picture: a bar for each median, a thin line for the spread of the rounds, a tick for the goal.
pub fn draw(rows: &[Row]) -> String {
    let bottom = rows.iter().fold(TOP, |y, _| y + STEP);
    let (width, height) = (LEFT + WIDTH + 70.0, bottom + 30.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" \
         font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"12\" y=\"24\" font-size=\"16\">What Dovecot costs, in times of what Restante costs</text>\n\
         <text x=\"12\" y=\"42\" fill=\"#555\">bar: median of the rounds; line: their spread; tick: the goal; circle: the limit here</text>\n"
    );
    for mark in [1.0, 10.0, 100.0, 1_000.0] {
        let x = across(mark);
        writeln!(svg, "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{bottom}\" stroke=\"#ccc\"/>").unwrap();
        let y = bottom + 18.0;
        writeln!(svg, "<text x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\" fill=\"#555\">{mark:.0}</text>").unwrap();
    }
    let mut y = TOP;
    for row in rows {
        bar(&mut svg, row, y);
        y += STEP;
    }
    svg + "</svg>\n"
}

fn bar(svg: &mut String, row: &Row, y: f64) {
    let (ratio, least, most) = row.ratio();
    let (name, right, goal) = (row.name, across(ratio), across(row.goal));
    let (text, middle, low) = (y + 17.0, y + 13.0, y + 22.0);
    let colour = if ratio >= row.goal { "#3a7d44" } else { "#c77d2e" };
    let (before, long) = (LEFT - 10.0, right - LEFT);
    let (from, to, told) =
        (across(least), across(most), across(most.max(row.goal).max(row.limit().unwrap_or(0.0))) + 8.0);
    write!(
        svg,
        "<text x=\"{before}\" y=\"{text}\" text-anchor=\"end\">{name}</text>\n\
         <rect x=\"{LEFT}\" y=\"{y:.1}\" width=\"{long:.1}\" height=\"18\" transform=\"translate(0 4)\" fill=\"{colour}\"/>\n\
         <line x1=\"{from:.1}\" y1=\"{middle}\" x2=\"{to:.1}\" y2=\"{middle}\" stroke=\"black\"/>\n\
         <line x1=\"{goal:.1}\" y1=\"{y}\" x2=\"{goal:.1}\" y2=\"{low}\" stroke=\"black\" stroke-width=\"2\"/>\n\
         <text x=\"{told:.1}\" y=\"{text}\">{ratio:.1}</text>\n"
    )
    .unwrap();
    if let Some(limit) = row.limit() {
        let x = across(limit);
        writeln!(svg, "<circle cx=\"{x:.1}\" cy=\"{middle}\" r=\"4\" fill=\"white\" stroke=\"black\"/>").unwrap();
    }
}

fn across(ratio: f64) -> f64 {
    LEFT + WIDTH * ratio.clamp(1.0, MOST).log10() / MOST.log10()
}
