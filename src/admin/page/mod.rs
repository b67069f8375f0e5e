//! The status page: one self-contained page without a script, for a phone as for a desk, in the light and in the dark.
//!
//! It can be used with a keyboard and a screen reader: each part has a heading, each table a caption and header cells, each
//! plot a text that says the same. A page that reloads itself interrupts a screen reader, so it does that only if asked to.
//!
//! | file | content |
//! |---|---|
//! | `escape` | text that is safe in HTML; **every value goes through it** |
//! | `table` | a table of text |
//! | `plot` | the last hour by minute, as SVG |
//! | `parts` | the parts of the page, from top to bottom |
//! | `style.css` | the style sheet |

mod escape;
mod parts;
mod plot;
mod table;

use std::time::SystemTime;

use super::ServiceView;
use crate::date::Date;

const STYLE: &str = include_str!("style.css");

/// The whole page. `refreshes`: it reloads itself every ten seconds.
pub(super) fn render(service: &ServiceView, refreshes: bool) -> String {
    let now = SystemTime::now();
    let (refresh, link) = if refreshes {
        ("<meta http-equiv=\"refresh\" content=\"10\">\n", "<a href=\"/\">Stop updating</a>")
    } else {
        ("", "<a href=\"/?refresh\">Update every 10 seconds</a>")
    };
    let parts = [
        parts::state(service),
        parts::last_hour(service),
        parts::sessions(service),
        parts::directories(service),
        parts::certificates(service, now),
        parts::caches(service),
        parts::slowest(service),
        parts::noisiest(service),
    ];
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n{refresh}\
         <title>Restante: status</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n\
         <h1>Restante</h1>\n<p>As of {time}. {link}</p>\n{parts}</main>\n</body>\n</html>\n",
        time = Date::of(now).of_log(),
        parts = parts.concat(),
    )
}
