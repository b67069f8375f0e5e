//! slapd of the `OpenLDAP` project, with password policy, memberOf and followers.

use super::every::{readable, slapd, told, verdicts};
use crate::support::directory::RealDirectory;
use crate::support::overlays::FOR_EVER;
use crate::support::probe::{read_one, service};

/// A refused bind says nothing in words. The password policy's control, if it was asked for, tells a lock (error 1) from
/// an expired password (0) and one to be changed (2); its value is an empty sequence where there is nothing to say. A
/// lock is told whether or not the password is right, and one by the administrator is told alike.
#[rustfmt::skip]
const ANSWERS: [(&str, &str); 15] = [
    ("right",                      r#"0 "" 1.3.6.1.4.1.42.2.27.8.5.1=3000"#),
    ("wrong",                      r#"49 "" 1.3.6.1.4.1.42.2.27.8.5.1=3000"#),
    ("nobody",                     r#"49 """#),
    ("empty",                      r#"53 "unauthenticated bind (DN with no password) disallowed""#),
    ("disabled",                   r#"49 "" 1.3.6.1.4.1.42.2.27.8.5.1=3003810101"#),
    ("disabled, wrong",            r#"49 "" 1.3.6.1.4.1.42.2.27.8.5.1=3003810101"#),
    ("locked",                     r#"49 "" 1.3.6.1.4.1.42.2.27.8.5.1=3003810101"#),
    ("locked, wrong",              r#"49 "" 1.3.6.1.4.1.42.2.27.8.5.1=3003810101"#),
    ("expired",                    r#"49 "" 1.3.6.1.4.1.42.2.27.8.5.1=3003810100"#),
    ("expired, wrong",             r#"49 "" 1.3.6.1.4.1.42.2.27.8.5.1=3000"#),
    ("must change",                r#"0 "" 1.3.6.1.4.1.42.2.27.8.5.1=3003810102"#),
    ("must change, then a search", r#"50 "Operations are restricted to bind/unbind/abandon/StartTLS/modify password""#),
    ("must change, wrong",         r#"49 "" 1.3.6.1.4.1.42.2.27.8.5.1=3000"#),
    ("set anew",                   r#"0 "" 1.3.6.1.4.1.42.2.27.8.5.1=3000"#),
    ("set anew, old",              r#"49 "" 1.3.6.1.4.1.42.2.27.8.5.1=3000"#),
];

#[tokio::test]
async fn tells_states_by_control_and_by_entry() {
    let slapd = slapd();
    let mut ldap = service(&slapd).await;
    let alan = slapd.dn("ajones");
    assert_eq!(readable(&mut ldap, &alan).await, ["entryUUID", "memberOf", "modifyTimestamp", "pwdChangedTime"]);
    let group = read_one(&mut ldap, &alan, "memberOf").await;
    assert_eq!(group.as_deref(), Some("cn=Alan Jones,ou=groups,ou=people,dc=renovations,dc=example"));
    assert_eq!(verdicts(&slapd).await, ANSWERS.map(|(what, said)| (what, said.to_owned())));
    let locked_since = async |ldap: &mut _, name| read_one(ldap, &slapd.dn(name), "pwdAccountLockedTime").await;
    assert_eq!(locked_since(&mut ldap, "alamb").await.as_deref(), Some(FOR_EVER));
    assert!(locked_since(&mut ldap, "tclerk").await.is_some_and(|since| since != FOR_EVER));
    assert_eq!(locked_since(&mut ldap, "mbrown").await, None);
    let changed = read_one(&mut ldap, &slapd.dn("mbrown"), "pwdChangedTime").await;
    assert_eq!(changed.as_deref(), Some("20200101000000Z"));
    for (name, reset) in [("mbrown2", Some("TRUE")), ("ajones", None)] {
        assert_eq!(read_one(&mut ldap, &slapd.dn(name), "pwdReset").await.as_deref(), reset);
    }
}

/// Each wrong password is a change of the person, the lock with the last. That a person is in a group now is a change
/// of the group alone: the person's `memberOf` changes without a word.
#[tokio::test]
async fn tells_its_followers_of_people_but_not_of_their_groups() {
    let slapd = slapd();
    let mut told = told(&slapd).await;
    told.retain(|message| !message.starts_with("NewCookie"));
    let mut expected = vec![format!("modify {}", slapd.dn("ajones"))];
    expected.extend(vec![format!("modify {}", slapd.dn("tclerk")); 5]);
    expected.push(format!("delete {}", slapd.dn("mbrown")));
    assert_eq!(told, expected);
    let group = read_one(&mut service(&slapd).await, &slapd.dn("alamb"), "memberOf").await;
    assert_eq!(group.as_deref(), Some("cn=Alan Jones,ou=groups,ou=people,dc=renovations,dc=example"));
}
