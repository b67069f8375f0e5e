//! Searches, written as arguments of `ldapsearch`.

use ldap3::Scope;

use crate::directory::ldap::Question;
use crate::directory::settings::Settings;
use crate::names::LookUp;

/// Every search of a look-up, as an administrator would type it. Nothing is asked.
pub(crate) fn searches(settings: &Settings, look_up: &LookUp) -> Vec<String> {
    let written = |question: Question| {
        let scope = if question.scope == Scope::Base { "base" } else { "sub" };
        let parents = if question.parents.is_some() {
            ", and of these only the entries below the parents that were typed"
        } else {
            ""
        };
        format!("-b {} -s {scope} {}{parents}", quoted(&question.base), quoted(&question.filter))
    };
    Question::all(settings, look_up, 1).into_iter().map(written).collect()
}

/// In single quotes, so that a shell takes every character literally.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
