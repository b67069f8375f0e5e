//! The entries of the embedded directory, in memory: found, searched, changed.

use std::fmt;

use ldap3_proto::proto::LdapSearchRequest;
use ldap3_proto::{LdapResultCode, LdapSearchResultEntry, LdapSearchScope};

use super::filter;
use super::ldif::LdifRecord;
use super::node::{DnKey, PASSWORD, StoredEntry, key_of};
use crate::names::Dn;

/// All entries of a directory, in the order they came.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    nodes: Vec<StoredEntry>,
}

/// The result of a search: its code, the entries returned, and the part of a missing base that does exist.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchResult {
    /// 0, 4 where the size limit cut it short, 32 for a missing base, 34 for one that is not a DN.
    pub code: LdapResultCode,
    /// Its entries, with the attributes asked for.
    pub entries: Vec<LdapSearchResultEntry>,
    /// With 32: the nearest entry above the base, or nothing.
    pub matched: String,
}

/// Why a change cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeFault {
    /// The text is not a distinguished name.
    NotADn,
    /// There is no such entry.
    NoSuchEntry,
    /// There is an entry of that name already.
    Exists,
    /// Other entries lie below it.
    NotALeaf,
}

impl fmt::Display for TreeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotADn => "not a distinguished name",
            Self::NoSuchEntry => "no such entry",
            Self::Exists => "an entry of that name exists",
            Self::NotALeaf => "other entries lie below it",
        })
    }
}

impl std::error::Error for TreeFault {}

impl Tree {
    /// Builds a tree from the entries of a file.
    ///
    /// # Errors
    /// [`TreeFault::Exists`] where two have one name.
    pub fn new(entries: impl IntoIterator<Item = LdifRecord>) -> Result<Self, TreeFault> {
        let mut tree = Self::default();
        entries.into_iter().try_for_each(|entry| tree.add(entry))?;
        Ok(tree)
    }

    /// Adds an entry; operational attributes that it has are kept, the others are generated.
    ///
    /// # Errors
    /// [`TreeFault::Exists`].
    pub fn add(&mut self, entry: LdifRecord) -> Result<(), TreeFault> {
        let node = StoredEntry::new(entry);
        if self.nodes.iter().any(|other| other.key == node.key) {
            return Err(TreeFault::Exists);
        }
        self.nodes.push(node);
        Ok(())
    }

    /// Removes an entry.
    ///
    /// # Errors
    /// [`TreeFault::NotADn`], [`TreeFault::NoSuchEntry`], [`TreeFault::NotALeaf`].
    pub fn remove(&mut self, dn: &str) -> Result<(), TreeFault> {
        let key = self.leaf(dn)?;
        self.nodes.retain(|node| node.key != key);
        Ok(())
    }

    /// Replaces all values of an attribute (without values: removes it), and records the time.
    ///
    /// # Errors
    /// [`TreeFault::NotADn`], [`TreeFault::NoSuchEntry`].
    pub fn set<V: Into<Vec<u8>>>(
        &mut self,
        dn: &str,
        name: &str,
        values: impl IntoIterator<Item = V>,
    ) -> Result<(), TreeFault> {
        let node = self.node_mut(&read_key(dn)?)?;
        node.replace(name, values.into_iter().map(Into::into).collect());
        node.stamp("modifyTimestamp");
        if name.eq_ignore_ascii_case(PASSWORD) {
            node.stamp("pwdChangedTime");
        }
        Ok(())
    }

    /// Gives an entry another DN, there or elsewhere. The values of the new RDN join its attributes, those of the old
    /// one leave them; its `entryUUID` stays.
    ///
    /// # Errors
    /// All of [`TreeFault`].
    pub fn move_entry(&mut self, from: &str, to: &str) -> Result<(), TreeFault> {
        let key = self.leaf(from)?;
        let dn = Dn::parse(to).ok_or(TreeFault::NotADn)?;
        if self.node(&key_of(&dn)).is_some_and(|other| other.key != key) {
            return Err(TreeFault::Exists);
        }
        let node = self.node_mut(&key)?;
        node.rename(dn);
        node.stamp("modifyTimestamp");
        Ok(())
    }

    /// Checks the password of a DN; returns the DN as the entry writes it, none for anonymous.
    ///
    /// # Errors
    /// The result code: 34 for a malformed DN, 53 for a name without a password, 49 for everything else.
    pub fn bind(&self, dn: &str, password: &str) -> Result<Option<Dn>, LdapResultCode> {
        match (dn.is_empty(), password.is_empty()) {
            (true, true) => return Ok(None),
            (true, false) => return Err(LdapResultCode::InvalidCredentials),
            (false, _) => {}
        }
        let key = read_key(dn).map_err(|_| LdapResultCode::InvalidDNSyntax)?;
        // RFC 4513 §5.1.2: a server should by default refuse a name without a password, and by this code.
        if password.is_empty() {
            return Err(LdapResultCode::UnwillingToPerform);
        }
        let node = self.node(&key).ok_or(LdapResultCode::InvalidCredentials)?;
        if node.has_password(password) { Ok(Some(node.dn.clone())) } else { Err(LdapResultCode::InvalidCredentials) }
    }

    /// Performs a search: scope, filter, size limit and the attributes asked for; time limit and aliases are ignored.
    #[must_use]
    pub fn search(&self, request: &LdapSearchRequest) -> SearchResult {
        let Ok(base) = read_key(&request.base) else { return SearchResult::nothing(LdapResultCode::InvalidDNSyntax) };
        if self.node(&base).is_none() {
            return SearchResult {
                matched: self.nearest_above(&base),
                ..SearchResult::nothing(LdapResultCode::NoSuchObject)
            };
        }
        let mut found = self
            .nodes
            .iter()
            .filter(|node| in_scope(&node.key, &base, &request.scope) && filter::matches(&request.filter, node));
        let limit = usize::try_from(request.sizelimit).ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX);
        let entries = found.by_ref().take(limit).map(|node| node.requested(request)).collect();
        let code = if found.next().is_some() { LdapResultCode::SizeLimitExceeded } else { LdapResultCode::Success };
        SearchResult { code, entries, matched: String::new() }
    }

    /// The DNs of the entries that have no entry above them.
    pub(super) fn naming_contexts(&self) -> Vec<String> {
        let is_below_another =
            |key: &DnKey| self.nodes.iter().any(|other| other.key.len() < key.len() && key.ends_with(&other.key));
        self.nodes.iter().filter(|node| !is_below_another(&node.key)).map(|node| node.dn.to_string()).collect()
    }

    fn node(&self, key: &DnKey) -> Option<&StoredEntry> {
        self.nodes.iter().find(|node| node.key == *key)
    }

    fn node_mut(&mut self, key: &DnKey) -> Result<&mut StoredEntry, TreeFault> {
        self.nodes.iter_mut().find(|node| node.key == *key).ok_or(TreeFault::NoSuchEntry)
    }

    fn leaf(&self, dn: &str) -> Result<DnKey, TreeFault> {
        let key = read_key(dn)?;
        self.node(&key).ok_or(TreeFault::NoSuchEntry)?;
        let has_children = self.nodes.iter().any(|node| node.key.len() > key.len() && node.key.ends_with(&key));
        if has_children { Err(TreeFault::NotALeaf) } else { Ok(key) }
    }

    fn nearest_above(&self, base: &DnKey) -> String {
        let above = (1..base.len()).find_map(|from| self.node(&base.get(from..)?.to_vec()));
        above.map(|node| node.dn.to_string()).unwrap_or_default()
    }
}

impl SearchResult {
    pub(super) fn nothing(code: LdapResultCode) -> Self {
        Self { code, entries: Vec::new(), matched: String::new() }
    }
}

fn in_scope(key: &DnKey, base: &DnKey, scope: &LdapSearchScope) -> bool {
    let within = key.ends_with(base);
    match scope {
        LdapSearchScope::Base => key == base,
        LdapSearchScope::OneLevel => within && key.len() == base.len() + 1,
        LdapSearchScope::Subtree => within,
        LdapSearchScope::Children => within && key.len() > base.len(),
    }
}

fn read_key(dn: &str) -> Result<DnKey, TreeFault> {
    Dn::parse(dn).map(|dn| key_of(&dn)).ok_or(TreeFault::NotADn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::ldif;
    use ldap3_proto::proto::LdapDerefAliases;
    use ldap3_proto::{LdapFilter, parse_ldap_filter_str};

    const PEOPLE: &str = "dn: dc=example\ndc: example\n\ndn: ou=Sales,dc=example\nou: Sales\n\n\
        dn: uid=ajones,ou=Sales,dc=example\nuid: ajones\ncn: Alan Jones\ncn: Al  Jones\nuserPassword: violet harbour\n\
        userCertificate;binary:: AP8=\n\n\
        dn: cn=J\\C3\\BCrgen,dc=example\ncn: Jürgen\nuserPassword: Äpfel\n";

    fn tree() -> Tree {
        Tree::new(ldif::parse(PEOPLE).unwrap()).unwrap()
    }

    fn request(base: &str, filter: &str, attrs: &[&str]) -> LdapSearchRequest {
        LdapSearchRequest {
            base: base.to_owned(),
            scope: LdapSearchScope::Subtree,
            aliases: LdapDerefAliases::Never,
            sizelimit: 0,
            timelimit: 0,
            typesonly: false,
            filter: parse_ldap_filter_str(filter).unwrap(),
            attrs: attrs.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    fn dns(tree: &Tree, filter: &str) -> Vec<String> {
        let found = tree.search(&request("dc=example", filter, &["1.1"]));
        found.entries.into_iter().map(|entry| entry.dn).collect()
    }

    fn equal(tree: &Tree, name: &str, value: &str) -> Vec<String> {
        let filter = LdapFilter::Equality(name.to_owned(), value.to_owned());
        let found = tree.search(&LdapSearchRequest { filter, ..request("dc=example", "(cn=x)", &["1.1"]) });
        found.entries.into_iter().map(|entry| entry.dn).collect()
    }

    fn attributes(tree: &Tree, wanted: &[&str]) -> Vec<String> {
        let found = tree.search(&request("dc=example", "(uid=ajones)", wanted));
        found.entries[0].attributes.iter().map(|attribute| attribute.atype.clone()).collect()
    }

    #[test]
    fn filters_compare_as_ldap_does() {
        let (tree, alan) = (tree(), ["uid=ajones,ou=Sales,dc=example"]);
        for filter in [
            "(UID=AJones)",
            "(&(uid=*)(!(cn=Alan)))",
            "(cn=a*l*n*ones)",
            "(cn=*lan*)",
            "(|(uid=nobody)(userCertificate=*))",
        ] {
            assert_eq!(dns(&tree, filter), alan, "{filter}");
        }
        assert_eq!(equal(&tree, "cn", "al jones"), alan);
        assert_eq!(equal(&tree, "CN", "JÜRGEN"), ["cn=J\\C3\\BCrgen,dc=example"]);
        assert_eq!(equal(&tree, "userPassword", "violet harbour"), [""; 0]);
        for filter in ["(cn=Alan)", "(cn=alan*alan*)", "(userPassword=*)", "(uid>=a)"] {
            assert_eq!(dns(&tree, filter), [""; 0], "{filter}");
        }
    }

    #[test]
    fn scopes_and_limits_hold() {
        let tree = tree();
        let mut wanted = request("DC=Example", "(objectClass=*)", &[]);
        wanted.filter = parse_ldap_filter_str("(|(dc=*)(ou=*)(cn=*))").unwrap();
        let count = |wanted: &LdapSearchRequest| tree.search(wanted).entries.len();
        assert_eq!(count(&wanted), 4);
        wanted.scope = LdapSearchScope::OneLevel;
        assert_eq!(count(&wanted), 2);
        wanted.scope = LdapSearchScope::Base;
        assert_eq!(count(&wanted), 1);
        wanted.scope = LdapSearchScope::Children;
        assert_eq!(count(&wanted), 3);
        wanted.sizelimit = 3;
        assert_eq!(tree.search(&wanted).code, LdapResultCode::Success);
        wanted.sizelimit = 2;
        let found = tree.search(&wanted);
        assert_eq!((found.code, found.entries.len()), (LdapResultCode::SizeLimitExceeded, 2));
    }

    #[test]
    fn a_missing_base_returns_the_nearest_entry_above() {
        let tree = tree();
        let found = tree.search(&request("uid=x,ou=East,ou=Sales,dc=example", "(uid=*)", &[]));
        assert_eq!((found.code, found.matched.as_str()), (LdapResultCode::NoSuchObject, "ou=Sales,dc=example"));
        assert_eq!(tree.search(&request("Alan Jones", "(uid=*)", &[])).code, LdapResultCode::InvalidDNSyntax);
    }

    #[test]
    fn returns_requested_attributes_but_never_the_password() {
        let tree = tree();
        let of_people = ["uid", "cn", "userCertificate;binary"];
        assert_eq!(attributes(&tree, &[]), of_people);
        assert_eq!(attributes(&tree, &["*"]), of_people);
        assert_eq!(attributes(&tree, &["1.1"]), [""; 0]);
        assert_eq!(attributes(&tree, &["CN", "userPassword", "usercertificate"]), ["cn", "userCertificate;binary"]);
        assert_eq!(attributes(&tree, &["+"]), ["createTimestamp", "modifyTimestamp", "entryUUID"]);
        assert_eq!(attributes(&tree, &["entryuuid"]), ["entryUUID"]);
    }

    #[test]
    fn binds_end_as_a_real_directory_ends_them() {
        let tree = tree();
        let alan = tree.bind("UID=AJONES, ou=sales,dc=example", "violet harbour").unwrap().unwrap();
        assert_eq!(alan.as_str(), "uid=ajones,ou=Sales,dc=example");
        assert!(tree.bind("cn=jürgen,dc=example", "Äpfel").unwrap().is_some());
        assert_eq!(tree.bind("", ""), Ok(None));
        for (dn, password, code) in [
            ("uid=ajones,ou=Sales,dc=example", "", LdapResultCode::UnwillingToPerform),
            ("uid=ajones,ou=Sales,dc=example", "Violet Harbour", LdapResultCode::InvalidCredentials),
            ("uid=nobody,ou=Sales,dc=example", "violet harbour", LdapResultCode::InvalidCredentials),
            ("ou=Sales,dc=example", "violet harbour", LdapResultCode::InvalidCredentials),
            ("", "violet harbour", LdapResultCode::InvalidCredentials),
            ("Alan Jones", "violet harbour", LdapResultCode::InvalidDNSyntax),
        ] {
            assert_eq!(tree.bind(dn, password), Err(code), "{dn}");
        }
    }

    #[test]
    fn a_moved_entry_keeps_its_uuid_and_takes_its_new_name() {
        let mut tree = tree();
        let uuid = |tree: &Tree, filter| tree.search(&request("dc=example", filter, &["entryUUID"])).entries[0].clone();
        let before = uuid(&tree, "(uid=ajones)");
        tree.move_entry("uid=ajones,ou=Sales,dc=example", "uid=alan,dc=example").unwrap();
        let after = uuid(&tree, "(uid=alan)");
        assert_eq!((after.dn.as_str(), after.attributes), ("uid=alan,dc=example", before.attributes));
        assert_eq!(dns(&tree, "(uid=ajones)"), [""; 0]);
        assert!(tree.bind("uid=alan,dc=example", "violet harbour").is_ok());
        assert_eq!(tree.move_entry("dc=example", "dc=other"), Err(TreeFault::NotALeaf));
        assert_eq!(tree.move_entry("uid=alan,dc=example", "ou=Sales,dc=example"), Err(TreeFault::Exists));
    }

    #[test]
    fn a_changed_password_counts_at_once_and_is_dated() {
        let mut tree = tree();
        tree.set("uid=ajones,ou=Sales,dc=example", "userPassword", ["green lamps"]).unwrap();
        assert!(tree.bind("uid=ajones,ou=Sales,dc=example", "violet harbour").is_err());
        assert!(tree.bind("uid=ajones,ou=Sales,dc=example", "green lamps").is_ok());
        assert_eq!(attributes(&tree, &["pwdChangedTime"]), ["pwdChangedTime"]);
        tree.remove("uid=ajones,ou=Sales,dc=example").unwrap();
        assert_eq!(tree.set("uid=ajones,ou=Sales,dc=example", "cn", ["x"]), Err(TreeFault::NoSuchEntry));
    }
}
