//! What is asked of a directory, in words that `ldapsearch` understands.

use ldap3::Scope;

use crate::directory::Directory;
use crate::directory::ldap::Question;
use crate::names::LookUp;

impl Directory {
    /// Every search that a look-up stands for, as an administrator would type it: `-b BASE -s SCOPE 'FILTER'`. Nothing is
    /// asked. [`Self::look_up`] sends these searches and no other.
    #[must_use]
    pub fn searches(&self, look_up: &LookUp) -> Vec<String> {
        let told = |question: Question| {
            let scope = if question.scope == Scope::Base { "base" } else { "sub" };
            let parents = if question.parents.is_some() { ", of these only who fits the parents typed" } else { "" };
            format!("-b {} -s {scope} {}{parents}", quoted(&question.base), quoted(&question.filter))
        };
        Question::all(self.settings(), look_up, 1).into_iter().map(told).collect()
    }
}

/// In single quotes, so that a shell takes every character for itself.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
