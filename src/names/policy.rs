//! Which kinds of name may be used.

use super::Kind;

/// The internet-authentication name policy: which forms of a person's name may be typed as a login name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    kinds: Vec<Kind>,
    default_domain: Option<String>,
    /// The name is a value of the only allowed kind, whatever it looks like.
    pub(super) is_literal: bool,
}

impl Policy {
    /// "Fewer name variations, higher security": all kinds but first and last name.
    #[must_use]
    pub fn fewer() -> Self {
        Self::of(Kind::ALL.into_iter().filter(|kind| !matches!(kind, Kind::FirstName | Kind::LastName)))
    }

    /// "More name variations, lower security": every kind.
    #[must_use]
    pub fn more() -> Self {
        Self::of(Kind::ALL)
    }

    /// A plain list of kinds.
    pub fn of(kinds: impl IntoIterator<Item = Kind>) -> Self {
        let mut kinds: Vec<Kind> = kinds.into_iter().collect();
        kinds.sort_unstable();
        kinds.dedup();
        Self { kinds, default_domain: None, is_literal: false }
    }

    /// One kind of name, taken literally: `UID=ajones` is not the short name `ajones`, and no address is completed. For
    /// names that nobody typed, such as those in tokens.
    #[must_use]
    pub fn literal(kind: Kind) -> Self {
        Self { is_literal: true, ..Self::of([kind]) }
    }

    /// The allowed kinds, in order.
    pub(super) fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// Completes an address that is typed without its domain.
    #[must_use]
    pub fn with_default_domain(mut self, domain: Option<String>) -> Self {
        self.default_domain = domain;
        self
    }

    /// Whether a kind of name is allowed.
    #[must_use]
    pub fn allows(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    /// The domain that completes a mail address, if one is set.
    #[must_use]
    pub fn default_domain(&self) -> Option<&str> {
        self.default_domain.as_deref()
    }
}
