//! The attributes that hold each kind of name. A new schema needs its attributes here, its name and filter in
//! `config/schema.rs`, and its account attributes in `account.rs`.

use crate::names::{Kind, fold, normal_forms};

/// The attributes that hold each kind of name; the first of several is the preferred one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// Of [`Kind::CommonName`].
    pub common_name: Vec<Source>,
    /// Of [`Kind::ShortName`].
    pub short_name: Vec<Source>,
    /// Of [`Kind::Mail`].
    pub mail: Vec<Source>,
    /// Of [`Kind::FirstName`].
    pub first_name: Vec<Source>,
    /// Of [`Kind::LastName`].
    pub last_name: Vec<Source>,
    /// Of the person's certificates, in DER.
    pub certificate: String,
    /// Of the person's SCRAM credentials (RFC 5803); none if nobody logs in by SCRAM.
    pub scram: Option<String>,
    /// The name of a Windows domain: short names may be typed after it, as `DOMAIN\name`.
    pub domain: Option<String>,
}

/// One attribute, and the form of its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The attribute's name.
    pub attribute: String,
    /// What precedes the name in its values, such as `smtp:` in `proxyAddresses`; case does not matter.
    pub prefix: Option<String>,
}

impl Source {
    /// An attribute whose values are the names themselves.
    #[must_use]
    pub fn plain(attribute: &str) -> Self {
        Self { attribute: attribute.to_owned(), prefix: None }
    }

    /// An attribute whose values are names after a prefix.
    #[must_use]
    pub fn behind(prefix: &str, attribute: &str) -> Self {
        Self { attribute: attribute.to_owned(), prefix: Some(prefix.to_owned()) }
    }

    /// The name that a value holds; none if it does not have the right form.
    #[must_use]
    pub fn name_in<'v>(&self, value: &'v str) -> Option<&'v str> {
        let Some(prefix) = &self.prefix else { return Some(value) };
        let (before, name) = value.split_at_checked(prefix.len())?;
        before.eq_ignore_ascii_case(prefix).then_some(name)
    }
}

impl Default for Attributes {
    /// As `inetOrgPerson` (RFC 2798) has them.
    fn default() -> Self {
        let plain = |attribute| vec![Source::plain(attribute)];
        Self {
            common_name: plain("cn"),
            short_name: plain("uid"),
            mail: plain("mail"),
            first_name: plain("givenName"),
            last_name: plain("sn"),
            certificate: "userCertificate;binary".to_owned(),
            scram: None,
            domain: None,
        }
    }
}

impl Attributes {
    /// As Active Directory has them. Each `userPrincipalName` has the form of a mail address, and is used as one.
    #[must_use]
    pub fn active_directory(domain: Option<String>) -> Self {
        let mail =
            vec![Source::plain("mail"), Source::plain("userPrincipalName"), Source::behind("smtp:", "proxyAddresses")];
        Self { short_name: vec![Source::plain("sAMAccountName")], mail, domain, ..Self::default() }
    }

    /// The attributes that hold a kind of name; none for names that are the DN itself.
    #[must_use]
    pub fn of(&self, kind: Kind) -> &[Source] {
        match kind {
            Kind::DistinguishedName | Kind::HierarchicalName => &[],
            Kind::CommonName => &self.common_name,
            Kind::ShortName => &self.short_name,
            Kind::Mail => &self.mail,
            Kind::FirstName => &self.first_name,
            Kind::LastName => &self.last_name,
        }
    }

    /// The attributes and values by which a typed name of a kind is found: any of them is enough.
    #[must_use]
    pub fn sought(&self, kind: Kind, typed: &str) -> Vec<(&str, String)> {
        let typed = if kind == Kind::ShortName { self.without_domain(typed) } else { typed };
        let forms = normal_forms(typed);
        let values = |source: &Source| match &source.prefix {
            None => forms.clone(),
            // Not every directory ignores case here.
            Some(prefix) => {
                let behind = |prefix: String| forms.iter().map(move |form| format!("{prefix}{form}"));
                [prefix.to_lowercase(), prefix.to_uppercase()].into_iter().flat_map(behind).collect()
            }
        };
        let with_values = self
            .of(kind)
            .iter()
            .flat_map(|source| values(source).into_iter().map(|value| (source.attribute.as_str(), value)));
        with_values.collect()
    }

    /// `DOMAIN\name` is the short name alone, if the domain is this directory's.
    fn without_domain<'t>(&self, typed: &'t str) -> &'t str {
        let own = self.domain.as_deref().zip(typed.split_once('\\'));
        match own {
            Some((own, (domain, name))) if fold(own) == fold(domain) && !name.is_empty() => name,
            _ => typed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sought(attributes: &Attributes, kind: Kind, typed: &str) -> String {
        let sought = attributes.sought(kind, typed);
        sought.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn active_directory_has_names_in_more_places() {
        let attributes = Attributes::active_directory(Some("RENO".to_owned()));
        for (kind, typed, expected) in [
            (Kind::ShortName, "ajones", "sAMAccountName=ajones"),
            (Kind::ShortName, r"RENO\ajones", "sAMAccountName=ajones"),
            (Kind::ShortName, r"reno\ajones", "sAMAccountName=ajones"),
            (Kind::ShortName, r"OTHER\ajones", r"sAMAccountName=OTHER\ajones"),
            (Kind::ShortName, r"RENO\", r"sAMAccountName=RENO\"),
            (Kind::CommonName, r"RENO\ajones", r"cn=RENO\ajones"),
            (Kind::Mail, "a@b", "mail=a@b userPrincipalName=a@b proxyAddresses=smtp:a@b proxyAddresses=SMTP:a@b"),
            (Kind::HierarchicalName, "a/b", ""),
            (Kind::CommonName, "M\u{fc}", "cn=M\u{fc} cn=Mu\u{308}"),
        ] {
            assert_eq!(sought(&attributes, kind, typed), expected, "{typed}");
        }
        assert_eq!(sought(&Attributes::default(), Kind::ShortName, r"RENO\ajones"), r"uid=RENO\ajones");
    }

    #[test]
    fn a_value_has_its_form() {
        let source = Source::behind("smtp:", "proxyAddresses");
        assert_eq!(source.name_in("SMTP:a@b"), Some("a@b"));
        assert_eq!(source.name_in("smtp:a@b"), Some("a@b"));
        assert_eq!((source.name_in("x500:/o=x"), source.name_in("sm")), (None, None));
        assert_eq!(Source::plain("mail").name_in("smtp:a@b"), Some("smtp:a@b"));
    }
}
