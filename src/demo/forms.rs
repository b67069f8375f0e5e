//! Every form of a name that a person may type.

use crate::directory::{Attributes, Directory, Entry, Fault};
use crate::names::{HierarchicalName, Kind, LoginName, Policy};

/// The forms of a person's name that identify them uniquely under a policy: each is looked up in the directory as in
/// a login.
///
/// # Errors
/// The directory gives no answer.
pub async fn working(directory: &Directory, policy: &Policy, dn: &str) -> Result<Vec<String>, Fault> {
    let every = Policy::more();
    let Some(entry) = alone(directory, &every, dn).await? else { return Ok(Vec::new()) };
    let mut names = Vec::new();
    for form in forms(&entry, &directory.settings().attributes) {
        let found = alone(directory, policy, &form).await?;
        if found.is_some_and(|found| found.id == entry.id) && !names.contains(&form) {
            names.push(form);
        }
    }
    Ok(names)
}

/// The one entry behind a name.
async fn alone(directory: &Directory, policy: &Policy, name: &str) -> Result<Option<Entry>, Fault> {
    let Ok(login) = LoginName::new(name.as_bytes()) else { return Ok(None) };
    let look_up = policy.look_up(&login, &directory.settings().base);
    let mut found = directory.look_up(look_up, 1).await?;
    Ok(if found.len() == 1 { found.pop() } else { None })
}

/// All forms, whether the policy allows them or not.
fn forms(entry: &Entry, attributes: &Attributes) -> Vec<String> {
    let values =
        |kind: Kind| attributes.of(kind).first().map(|source| entry.values(&source.attribute)).unwrap_or_default();
    let prefixed = |prefix: &str, kind: Kind| values(kind).iter().map(|value| format!("{prefix}={value}")).collect();
    let mut forms: Vec<String> = Vec::new();
    for kind in [Kind::ShortName, Kind::Mail, Kind::CommonName, Kind::FirstName, Kind::LastName] {
        forms.extend_from_slice(values(kind));
    }
    forms.extend::<Vec<String>>(prefixed("UID", Kind::ShortName));
    forms.extend::<Vec<String>>(prefixed("CN", Kind::CommonName));
    for name in values(Kind::CommonName) {
        forms.extend(HierarchicalName::forms(name, &entry.dn));
    }
    forms.push(entry.dn.to_string());
    forms
}
