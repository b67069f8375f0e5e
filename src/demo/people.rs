//! The sample people, read from the LDIF inside the program.

use anyhow::Context;

use super::ldif::{self, LdifRecord};
use super::tree::Tree;

/// The sample directory as LDIF, passwords in the clear.
pub const LDIF: &str = include_str!("../../config/demo.ldif");
/// The search base of the people.
pub const BASE: &str = "ou=people,dc=renovations,dc=example";
/// The service's entry, the only one that may search.
pub const SERVICE: &str = "cn=restante,ou=services,dc=renovations,dc=example";

/// Somebody who may log in to the demonstration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoPerson {
    /// The entry's DN.
    pub dn: String,
    /// The first common name.
    pub name: String,
    /// The `uid`.
    pub short_name: String,
    /// The first mail address, if the entry has one.
    pub mail: Option<String>,
    /// The password, which the demonstration shows.
    pub password: String,
}

/// The sample directory, ready to be served.
///
/// # Errors
/// Only if the embedded LDIF is faulty.
pub fn tree() -> anyhow::Result<Tree> {
    Ok(Tree::new(entries()?)?)
}

/// Everybody who may log in, in the order of the LDIF.
///
/// # Errors
/// Only if the embedded LDIF is faulty.
pub fn people() -> anyhow::Result<Vec<DemoPerson>> {
    let is_person = |entry: &&LdifRecord| entry.texts("objectClass").any(|class| class == "inetOrgPerson");
    Ok(entries()?.iter().filter(is_person).filter_map(person).collect())
}

/// The password of [`SERVICE`].
///
/// # Errors
/// Only if the embedded LDIF is faulty.
pub fn service_password() -> anyhow::Result<String> {
    let entries = entries()?;
    let service = entries.iter().find(|entry| entry.dn.as_str() == SERVICE);
    let password = service.and_then(|entry| entry.texts("userPassword").next());
    Ok(password.context("the service's own entry is missing in the sample directory")?.to_owned())
}

fn entries() -> anyhow::Result<Vec<LdifRecord>> {
    ldif::parse(LDIF).context("the sample directory")
}

fn person(entry: &LdifRecord) -> Option<DemoPerson> {
    let first = |name| entry.texts(name).next().map(str::to_owned);
    Some(DemoPerson {
        dn: entry.dn.to_string(),
        name: first("cn")?,
        short_name: first("uid")?,
        mail: first("mail"),
        password: first("userPassword")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cases_that_names_get_wrong_are_all_there() {
        let people = people().unwrap();
        let named = |name: &str| people.iter().filter(|person| person.name == name).count();
        assert_eq!((people.len(), named("Mary Brown"), named("Alan Jones"), named("Jürgen Müller")), (7, 2, 1, 1));
        assert_eq!(people.iter().filter(|person| person.name.starts_with("Alan ")).count(), 2);
        assert!(people.iter().any(|person| person.mail.is_none()));
        assert!(people.iter().any(|person| person.name.contains(['*', '(', ',', '\\'])));
        assert!(people.iter().any(|person| person.password.contains(' ')));
        assert!(people.iter().any(|person| !person.password.is_ascii()));
    }

    #[test]
    fn everybody_can_bind() {
        let tree = tree().unwrap();
        for person in people().unwrap() {
            assert_eq!(tree.bind(&person.dn, &person.password).unwrap().unwrap().as_str(), person.dn);
        }
        assert!(tree.bind(SERVICE, &service_password().unwrap()).is_ok());
    }
}
