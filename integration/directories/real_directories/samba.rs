//! Samba as an Active Directory domain controller.

use ldap3::Scope;
use ldap3::controls::{RefreshMode, SyncRequest};
use restante::demo::people::{BASE, LDIF};

use super::every::{readable, verdicts};
use crate::support::PATIENCE;
use crate::support::directory::RealDirectory;
use crate::support::probe::{bind, bind_as, connect, read, read_one, service};
use crate::support::samba::{DOMAIN, Samba};

/// Every refusal is an invalid credential (49), and says which by the code behind `data` alone. With a wrong password
/// only a lock is told; a name that nobody has and no password at all are told like a wrong password (52e).
#[rustfmt::skip]
const ANSWERS: [(&str, &str); 15] = [
    ("right",                      r#"0 """#),
    ("wrong",                      r#"49 "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 52e, v1db1""#),
    ("nobody",                     r#"49 "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 52e, v1db1""#),
    ("empty",                      r#"49 "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 52e, v1db1""#),
    ("disabled",                   r#"49 "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 533, v1db1""#),
    ("disabled, wrong",            r#"49 "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 52e, v1db1""#),
    ("locked",                     r#"49 "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 775, v1db1""#),
    ("locked, wrong",              r#"49 "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 775, v1db1""#),
    ("expired",                    r#"49 "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 532, v1db1""#),
    ("expired, wrong",             r#"49 "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 52e, v1db1""#),
    ("must change",                r#"49 "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 773, v1db1""#),
    ("must change, then a search", r#"1 "00002020: Operation unavailable without authentication""#),
    ("must change, wrong",         r#"49 "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 52e, v1db1""#),
    ("set anew",                   r#"0 """#),
    ("set anew, old",              r#"49 "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 52e, v1db1""#),
];

/// What the service can read of anybody whose account was never locked.
const READABLE: [&str; 8] = [
    "accountExpires",
    "modifyTimestamp",
    "msDS-User-Account-Control-Computed",
    "objectGUID",
    "pwdLastSet",
    "tokenGroups",
    "userAccountControl",
    "whenChanged",
];

#[tokio::test]
async fn tells_states_by_text_and_by_entry() {
    let samba = Samba::start(LDIF);
    let mut ldap = service(&samba).await;
    assert_eq!(readable(&mut ldap, &samba.dn("alamb")).await, READABLE);
    assert_eq!(verdicts(&samba).await, ANSWERS.map(|(what, said)| (what, said.to_owned())));
    let (computed, control) = ("msDS-User-Account-Control-Computed", "userAccountControl");
    for (name, attribute, value) in [
        ("ajones", control, "512"),
        ("ajones", computed, "0"),
        // ACCOUNTDISABLE; it is not computed, and does not stand among what is.
        ("alamb", control, "514"),
        ("alamb", computed, "0"),
        // UF_LOCKOUT
        ("tclerk", computed, "16"),
        // UF_PASSWORD_EXPIRED
        ("mbrown", computed, "8388608"),
        ("mbrown2", computed, "8388608"),
        ("mbrown2", "pwdLastSet", "0"),
        // Never.
        ("ajones", "accountExpires", "9223372036854775807"),
    ] {
        assert_eq!(read_one(&mut ldap, &samba.dn(name), attribute).await.as_deref(), Some(value), "{name} {attribute}");
    }
    assert!(read_one(&mut ldap, &samba.dn("tclerk"), "lockoutTime").await.is_some());
}

#[tokio::test]
async fn tells_accounts_that_have_ended_and_those_that_may_not_log_in_now_or_here() {
    let samba = Samba::start(LDIF);
    samba.expire_account("alamb");
    samba.never_at_this_hour("mbrown");
    samba.only_elsewhere("mbrown2");
    for (name, password, sub_code) in [
        ("alamb", "seven green lamps", "data 701,"),
        ("mbrown", "paper-boat-42", "data 530,"),
        ("mbrown2", "quiet-orchard-8", "data 531,"),
    ] {
        let answer = bind(&samba, name, password).await;
        assert!(answer.code == 49 && answer.text.contains(sub_code), "{answer}");
    }
}

#[tokio::test]
async fn knows_people_by_the_names_that_windows_knows() {
    let samba = Samba::start(LDIF);
    for name in ["ajones@renovations.example".to_owned(), format!("{DOMAIN}\\ajones")] {
        let answer = bind_as(&mut connect(&samba).await, &name, "violet-harbour-17").await;
        assert_eq!(answer.code, 0, "{name}: {answer}");
    }
    let found = read(&mut service(&samba).await, &samba.dn("jmueller"), &["mail", "proxyAddresses"]).await;
    let texts =
        |name: &str| found[name].iter().map(|value| String::from_utf8(value.clone()).unwrap()).collect::<Vec<_>>();
    assert_eq!(texts("mail"), ["juergen.mueller@renovations.example"]);
    assert_eq!(
        texts("proxyaddresses"),
        ["SMTP:juergen.mueller@renovations.example", "smtp:jmueller@renovations.example"]
    );
}

/// `memberOf` has the groups that name the person; `tokenGroups` has those that these are in, too, and the primary group.
#[tokio::test]
async fn tells_groups_within_groups() {
    let samba = Samba::start(LDIF);
    let inner = format!("cn=Alan Jones,ou=groups,{BASE}");
    let outer = format!("cn=Everybody,ou=groups,{BASE}");
    samba.modify(&format!(
        "dn: {outer}\nchangetype: add\nobjectClass: group\nsAMAccountName: everybody\nmember: {inner}\n"
    ));
    let mut ldap = service(&samba).await;
    let direct = read_one(&mut ldap, &samba.dn("ajones"), "memberOf").await.unwrap();
    assert!(direct.eq_ignore_ascii_case(&inner), "{direct}");
    let groups = read(&mut ldap, &samba.dn("ajones"), &["tokenGroups"]).await.remove("tokengroups").unwrap();
    for group in [inner, outer, "cn=Domain Users,cn=Users,dc=renovations,dc=example".to_owned()] {
        let id = read(&mut ldap, &group, &["objectSid"]).await.remove("objectsid").unwrap().remove(0);
        assert!(groups.contains(&id), "{group}");
    }
}

/// It answers the request like any search and ends, without the states that a follower needs. Were the control critical,
/// it would answer with an extended response, which ends ldap3's driver.
#[tokio::test]
async fn cannot_be_followed() {
    let samba = Samba::start(LDIF);
    let mut ldap = service(&samba).await;
    let known = read(&mut ldap, "", &["supportedControl"]).await.remove("supportedcontrol").unwrap();
    assert!(!known.contains(&b"1.3.6.1.4.1.4203.1.9.1.1".to_vec()));
    let request = SyncRequest { mode: RefreshMode::RefreshAndPersist, cookie: None, reload_hint: false };
    let search = ldap.with_timeout(PATIENCE).with_controls(request);
    let (entries, _) =
        search.search(BASE, Scope::Subtree, "(objectClass=user)", ["cn"]).await.unwrap().success().unwrap();
    assert_eq!(entries.len(), 7);
    assert!(entries.iter().all(|entry| entry.1.is_empty()), "{entries:?}");
}
