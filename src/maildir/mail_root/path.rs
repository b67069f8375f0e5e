//! Which Maildir is a person's: the template filled in, and kept below the mail root.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::template::{Field, PathTemplate, TemplatePart};
use crate::names::prepared;

/// The value of a field in a person's entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldValue {
    /// The value; of several, the one in the entry's RDN.
    One(String),
    /// None at all.
    None,
    /// Several, none of them in the RDN. LDAP values have no order: two replicas could give one person two maildrops.
    Several,
}

/// Why no path can be made for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathRefusal {
    /// The entry has no value for a field.
    NoValue(Field),
    /// The entry has several values for a field, and none of them takes precedence.
    SeveralValues(Field),
    /// A value that is not allowed in a path, or a path that leads out of the mail root; why, for the log.
    Forbidden(String),
}

impl fmt::Display for PathRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoValue(field) => write!(f, "the entry has no value for {field}"),
            Self::SeveralValues(field) => {
                write!(f, "the entry has several values for {field}, none of them in its RDN")
            }
            Self::Forbidden(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for PathRefusal {}

/// The path of a Maildir, counted from the mail root: normalised, never empty, without `..`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MaildropPath {
    mail: Arc<str>,
    lists: Option<Arc<str>>,
    /// The path with the superfluous blanks of the entry's values.
    as_stored: Option<Arc<Self>>,
    /// The person's own markers, below the mail root and below the root of lists, if there are any.
    markers: Option<Arc<Markers>>,
}

/// Paths of files that must exist, as proof that a disk is mounted.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
struct Markers {
    mail: Box<[Arc<str>]>,
    lists: Box<[Arc<str>]>,
}

impl MaildropPath {
    fn normalised(text: &str) -> Result<Self, PathRefusal> {
        let components: Vec<&str> = text.split('/').filter(|component| !matches!(*component, "" | ".")).collect();
        if components.contains(&"..") {
            return Err(PathRefusal::Forbidden(format!("the path {text:?} holds \"..\"")));
        }
        if components.is_empty() {
            return Err(PathRefusal::Forbidden(format!("the path {text:?} is the mail root itself")));
        }
        Ok(Self { mail: components.join("/").into(), lists: None, as_stored: None, markers: None })
    }

    /// The same, with the path to the lists of another server below their own root.
    fn with_lists(self, lists: &Self) -> Self {
        Self { lists: Some(Arc::clone(&lists.mail)), ..self }
    }

    /// The path of the same person with all blanks of the entry's values; none if they have no superfluous ones.
    pub(in crate::maildir) fn as_stored(&self) -> Option<&Self> {
        self.as_stored.as_deref()
    }

    /// Whether the mail is at the same path.
    pub(in crate::maildir) fn has_mail_of(&self, other: &Self) -> bool {
        self.mail == other.mail
    }

    /// This path of the mail with the other's path of the lists, and without alternatives.
    pub(in crate::maildir) fn with_lists_of(&self, other: &Self) -> Self {
        let path = Self { mail: Arc::clone(&self.mail), lists: other.lists.clone(), as_stored: None, markers: None };
        path.with_markers(self.markers().into(), other.list_markers().into())
    }

    fn with_markers(self, mail: Box<[Arc<str>]>, lists: Box<[Arc<str>]>) -> Self {
        let is_any = !(mail.is_empty() && lists.is_empty());
        Self { markers: is_any.then(|| Arc::new(Markers { mail, lists })), ..self }
    }

    /// The person's own markers below the mail root.
    pub(in crate::maildir) fn markers(&self) -> &[Arc<str>] {
        self.markers.as_ref().map_or(&[], |markers| &markers.mail)
    }

    /// The person's own markers below the root of lists.
    pub(in crate::maildir) fn list_markers(&self) -> &[Arc<str>] {
        self.markers.as_ref().map_or(&[], |markers| &markers.lists)
    }

    /// The path to the lists of another server below their own root; none if that is not set.
    pub(in crate::maildir) fn lists(&self) -> Option<&Path> {
        self.lists.as_deref().map(Path::new)
    }
}

impl fmt::Display for MaildropPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.mail)
    }
}

impl AsRef<Path> for MaildropPath {
    fn as_ref(&self) -> &Path {
        Path::new(&*self.mail)
    }
}

impl PathTemplate {
    /// Fills the template in. `value` is asked for every field but `{mail.local}` and `{mail.domain}`, which are cut
    /// from the value of `{mail}`; it returns values as they are in the entry. Insignificant blanks (RFC 4518 §2.6.1)
    /// are not part of the path; but a Maildir that was made with them is found by
    /// [`Store::choose`](crate::maildir::Store::choose). The value of an attribute may be an absolute path if it comes
    /// first in the template and is beneath `root`. Only in that case, and only if the names alone do not show it, the
    /// file system is asked where `root` really is.
    ///
    /// # Errors
    /// See [`PathRefusal`].
    pub fn path(&self, root: &Path, value: impl Fn(&Field) -> FieldValue) -> Result<MaildropPath, PathRefusal> {
        let path = self.filled_with_lists(root, &|field| match value(field) {
            FieldValue::One(stored) => FieldValue::One(prepared(&stored).into_owned()),
            other => other,
        })?;
        let as_stored = self.filled_with_lists(root, &value).ok().filter(|as_stored| *as_stored != path);
        Ok(MaildropPath { as_stored: as_stored.map(Arc::new), ..path })
    }

    /// Fills the template in as a text that is no path, such as a user name elsewhere. The values are without insignificant
    /// blanks; anything may be in them.
    ///
    /// # Errors
    /// A field has no value, or several.
    pub fn text(&self, value: impl Fn(&Field) -> FieldValue) -> Result<String, PathRefusal> {
        let mut text = String::new();
        for part in self.parts() {
            match part {
                TemplatePart::Text(plain) => text.push_str(plain),
                TemplatePart::Field { field, lower } => {
                    let found = value_of(field, &value)?;
                    let found = prepared(&found);
                    text.push_str(&if *lower { found.to_lowercase() } else { found.into_owned() });
                }
            }
        }
        Ok(text)
    }

    fn filled_with_lists(
        &self,
        root: &Path,
        value: &impl Fn(&Field) -> FieldValue,
    ) -> Result<MaildropPath, PathRefusal> {
        let path = self.filled(root, value)?;
        let markers = self.filled_markers(root, value)?;
        let Some((lists, root)) = self.lists() else { return Ok(path.with_markers(markers, Box::default())) };
        let path = path.with_lists(&lists.filled(root, value)?);
        Ok(path.with_markers(markers, lists.filled_markers(root, value)?))
    }

    fn filled_markers(
        &self,
        root: &Path,
        value: &impl Fn(&Field) -> FieldValue,
    ) -> Result<Box<[Arc<str>]>, PathRefusal> {
        self.markers().iter().map(|marker| marker.filled(root, value).map(|path| path.mail)).collect()
    }

    fn filled(&self, root: &Path, value: &impl Fn(&Field) -> FieldValue) -> Result<MaildropPath, PathRefusal> {
        let mut text = String::new();
        for part in self.parts() {
            match part {
                TemplatePart::Text(plain) => text.push_str(plain),
                TemplatePart::Field { field, lower } => {
                    let found = value_of(field, value)?;
                    let found = if *lower { found.to_lowercase() } else { found };
                    let root = text.is_empty().then_some((root, self.real_root()));
                    text.push_str(&checked(field, found, root)?);
                }
            }
        }
        MaildropPath::normalised(&text)
    }
}

fn value_of(field: &Field, value: &impl Fn(&Field) -> FieldValue) -> Result<String, PathRefusal> {
    let asked = if matches!(field, Field::MailLocal | Field::MailDomain) { &Field::Mail } else { field };
    let whole = match value(asked) {
        FieldValue::One(whole) => whole,
        FieldValue::None => return Err(PathRefusal::NoValue(field.clone())),
        FieldValue::Several => return Err(PathRefusal::SeveralValues(field.clone())),
    };
    match (field, whole.rsplit_once('@')) {
        (Field::MailLocal, Some((local, _))) => Ok(local.to_owned()),
        (Field::MailDomain, Some((_, domain))) => Ok(domain.to_owned()),
        (Field::MailLocal | Field::MailDomain, None) => Err(PathRefusal::NoValue(field.clone())),
        _ => Ok(whole),
    }
}

/// A value as it is used in the path. `root`: for the first field, the mail root, and where it really is, if that is
/// known.
fn checked(field: &Field, value: String, root: Option<(&Path, Option<&Path>)>) -> Result<String, PathRefusal> {
    let refused = |why: &str| PathRefusal::Forbidden(format!("the value {value:?} of {field} {why}"));
    if value.chars().any(char::is_control) {
        return Err(refused("holds a control character"));
    }
    if !matches!(field, Field::Attribute(_)) {
        return match value.as_str() {
            "" | "." | ".." => Err(refused("can be no name of a directory")),
            name if name.contains('/') => Err(refused("holds \"/\"")),
            _ => Ok(value),
        };
    }
    if value.split('/').any(|component| component == "..") {
        return Err(refused("holds \"..\""));
    }
    // Without a component of its own, all people with such a value would share one maildrop.
    if value.split('/').all(|component| matches!(component, "" | ".")) {
        return Err(refused("names no directory"));
    }
    if !value.starts_with('/') {
        return Ok(value);
    }
    let Some((root, real)) = root else { return Err(refused("is absolute, and does not stand in front")) };
    let Some(rest) = beneath(root, real, &value) else { return Err(refused("does not lie beneath the mail root")) };
    Ok(rest)
}

/// The part of an absolute path below the mail root, which may itself be a link. Its target is looked up only if that
/// is not known yet.
fn beneath(root: &Path, real: Option<&Path>, value: &str) -> Option<String> {
    let strip = |root: &Path| {
        let rest = Path::new(value).strip_prefix(root).ok()?.to_str()?;
        (!rest.is_empty()).then(|| rest.to_owned())
    };
    let in_reality = || match real {
        Some(real) => strip(real),
        None => strip(&root.canonicalize().ok()?),
    };
    let rest = strip(root).or_else(in_reality)?;
    Some(if value.ends_with('/') { rest + "/" } else { rest })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &str, root: &str, value: &str) -> Result<String, PathRefusal> {
        let template = PathTemplate::parse(template).unwrap();
        template.path(Path::new(root), |_| FieldValue::One(value.to_owned())).map(|path| path.to_string())
    }

    #[test]
    fn a_path_is_filled_in_and_normalised() {
        for (template, value, path) in [
            ("{short_name}/Maildir", "ajones", "ajones/Maildir"),
            ("./{mail.domain|lower}//{mail.local}/", "A.Jones@Renovations.Example", "renovations.example/A.Jones"),
            ("{mail.local}", "\"a@b\"@c.example", "\"a@b\""),
            ("{mail|lower}", "AJones@X.example", "ajones@x.example"),
            ("{attr:box}/Maildir", "sales/ajones", "sales/ajones/Maildir"),
            ("users/{attr:box}", "sales/./ajones/", "users/sales/ajones"),
        ] {
            assert_eq!(filled(template, "/srv/mail", value).as_deref(), Ok(path), "{template}");
        }
    }

    #[test]
    fn blanks_that_do_not_count_are_no_part_of_the_path() {
        let both = |template: &str, value: &str| {
            let template = PathTemplate::parse(template).unwrap();
            let path = template.path(Path::new("/srv/mail"), |_| FieldValue::One(value.to_owned())).unwrap();
            (path.to_string(), path.as_stored().map(ToString::to_string))
        };
        for (template, value, path, as_stored) in [
            ("{short_name}/Maildir", "ajones", "ajones/Maildir", None),
            ("{short_name}/Maildir", "ajones ", "ajones/Maildir", Some("ajones /Maildir")),
            ("{canonical_name}", " Alan  Jones", "Alan Jones", Some(" Alan  Jones")),
            ("{mail.domain}/{mail.local}", "a@x.example ", "x.example/a", Some("x.example /a")),
            ("{mail.local}", "a@x.example ", "a", None),
            ("{attr:home}/Maildir", "/srv/mail/a ", "a/Maildir", Some("a /Maildir")),
            // No path could contain it as it is.
            ("{short_name}", "ajones\t", "ajones", None),
        ] {
            assert_eq!(both(template, value), (path.to_owned(), as_stored.map(str::to_owned)), "{value:?}");
        }
        assert!(filled("{short_name}", "/srv", "  ").is_err());
    }

    #[test]
    fn an_absolute_value_must_lie_beneath_the_root() {
        let home = |value| filled("{attr:homeDirectory}/Maildir", "/srv/mail/", value);
        assert_eq!(home("/srv/mail/ajones").as_deref(), Ok("ajones/Maildir"));
        assert_eq!(home("//srv/./mail//ajones/").as_deref(), Ok("ajones/Maildir"));
        for outside in ["/home/ajones", "/srv/mailbox/ajones", "/srv/mail", "/srv/mail/", "/", "/srv/mail/../x", "/srv"]
        {
            assert!(matches!(home(outside), Err(PathRefusal::Forbidden(_))), "{outside}");
        }
        assert!(filled("users/{attr:homeDirectory}", "/srv/mail", "/srv/mail/ajones").is_err());
    }

    #[test]
    fn an_absolute_value_may_name_the_root_by_where_its_link_leads() {
        let disk = tempfile::tempdir().unwrap();
        let real = disk.path().canonicalize().unwrap().join("disk2");
        std::fs::create_dir(&real).unwrap();
        let link = disk.path().join("mail");
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let value = format!("{}/ajones", real.display());
        let path = filled("{attr:homeDirectory}/Maildir", &link.display().to_string(), &value);
        assert_eq!(path.as_deref(), Ok("ajones/Maildir"));
        // Looked up once, the file system is not asked any more.
        let template = PathTemplate::parse("{attr:homeDirectory}/Maildir").unwrap().looked_up(&link);
        std::fs::remove_file(&link).unwrap();
        let path = template.path(&link, |_| FieldValue::One(value.clone())).unwrap();
        assert_eq!(path.to_string(), "ajones/Maildir");
    }

    #[test]
    fn a_marker_may_be_of_each_person() {
        let marker = |text| PathTemplate::parse_marker(text).unwrap();
        let lists = PathTemplate::parse("{short_name}").unwrap().with_markers(&[marker("{mail.domain}/there")]);
        let template = PathTemplate::parse("{mail.domain}/{short_name}").unwrap();
        let template =
            template.with_markers(&[marker(".all"), marker("{mail.domain}/.mounted"), marker("{mail.local}")]);
        let template = template.with_lists(lists, "/lists".into());
        let path = template.path(Path::new("/srv"), |_| FieldValue::One("a@b.example".to_owned())).unwrap();
        let texts = |markers: &[Arc<str>]| markers.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(texts(path.markers()), ["b.example/.mounted", "a"]);
        assert_eq!(texts(path.list_markers()), ["b.example/there"]);
        let path = template.path(Path::new("/srv"), |_| FieldValue::None);
        assert_eq!(path, Err(PathRefusal::NoValue(Field::MailDomain)));
    }

    #[test]
    fn a_value_that_may_stand_in_no_path_is_refused() {
        for value in ["", ".", "..", "a/b", "/", "../x", "a\0b", "a\nb", "a\u{7f}"] {
            for template in ["{short_name}", "{mail}", "{canonical_name}"] {
                assert!(matches!(filled(template, "/srv", value), Err(PathRefusal::Forbidden(_))), "{value:?}");
            }
        }
        for value in ["", ".", "/", "./", "..", "a/../b", "../a", "a/..", "a\0b", "a\rb"] {
            assert!(filled("x/{attr:box}/Maildir", "/srv", value).is_err(), "{value:?}");
        }
        assert!(filled("{attr:box}./b", "/srv", "a/.").is_err(), "two harmless halves make \"..\"");
        assert!(filled("{mail.local}", "/srv", "..@x.example").is_err());
        assert!(filled("{mail.domain}", "/srv", "a@").is_err());
    }

    #[test]
    fn no_value_and_several_values_are_told_apart() {
        let path = |value: FieldValue| {
            PathTemplate::parse("{mail.local}").unwrap().path(Path::new("/srv"), |field| {
                assert_eq!(*field, Field::Mail, "the caller knows the whole address only");
                value.clone()
            })
        };
        assert_eq!(path(FieldValue::None), Err(PathRefusal::NoValue(Field::MailLocal)));
        assert_eq!(path(FieldValue::Several), Err(PathRefusal::SeveralValues(Field::MailLocal)));
        assert_eq!(path(FieldValue::One("ajones".to_owned())), Err(PathRefusal::NoValue(Field::MailLocal)));
    }
}
