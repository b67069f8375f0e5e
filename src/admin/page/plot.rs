//! The last hour by minute, as SVG.

use std::fmt::Write as _;

use super::escape::Escaped;

/// Height of the drawing, in its own units; each minute is ten wide.
const HEIGHT: u32 = 100;

/// Bars for the minutes of an hour, the current one on the right, with a caption that says the same in words.
pub(super) fn plot(what: &str, minutes: &[u32]) -> String {
    let (sum, most) = (minutes.iter().map(|count| u64::from(*count)).sum::<u64>(), minutes.iter().copied().max());
    let most = most.unwrap_or_default();
    let words = format!("{what}: {sum} in the last hour, {most} in the busiest minute");
    let mut bars = String::new();
    for (place, count) in minutes.iter().enumerate().filter(|(_, count)| **count > 0) {
        // The lowest bar can still be seen.
        let height = (u64::from(*count) * u64::from(HEIGHT)).div_ceil(u64::from(most.max(1))).max(2);
        let (x, y) = (place * 10 + 1, u64::from(HEIGHT).saturating_sub(height));
        let _ = write!(bars, "<rect x=\"{x}\" y=\"{y}\" width=\"8\" height=\"{height}\"/>");
    }
    let width = minutes.len() * 10;
    format!(
        "<figure>\n<svg viewBox=\"0 0 {width} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{words}\">\
         {bars}</svg>\n<figcaption>{words}</figcaption>\n</figure>\n",
        words = Escaped(&words)
    )
}

#[cfg(test)]
mod tests {
    use super::plot;

    #[test]
    fn the_busiest_minute_has_the_highest_bar_and_a_quiet_one_none() {
        let shown = plot("Logins", &[0, 5, 10]);
        assert!(shown.contains("Logins: 15 in the last hour, 10 in the busiest minute"), "{shown}");
        assert!(shown.contains("<rect x=\"11\" y=\"50\" width=\"8\" height=\"50\"/>"), "{shown}");
        assert!(shown.contains("<rect x=\"21\" y=\"0\" width=\"8\" height=\"100\"/>"), "{shown}");
        assert_eq!(shown.matches("<rect").count(), 2);
        assert!(!plot("Logins", &[0; 60]).contains("<rect"));
    }
}
