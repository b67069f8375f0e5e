//! 389 Directory Server with password policy, memberOf and followers.

use restante::demo::people::LDIF;

use super::every::{readable, told, verdicts};
use crate::support::directory::RealDirectory;
use crate::support::ds389::Ds389;
use crate::support::probe::{read_one, service};

/// A disabled account and a locked one have result codes of their own, whether or not the password is right. The password
/// policy's control comes only where it has something to say, with lengths in the long form (`84 00 00 00 03`). A
/// password to be changed is accepted, and nothing else is then.
#[rustfmt::skip]
const ANSWERS: [(&str, &str); 15] = [
    ("right",                      r#"0 """#),
    ("wrong",                      r#"49 """#),
    ("nobody",                     r#"49 """#),
    ("empty",                      r#"53 "Unauthenticated binds are not allowed""#),
    ("disabled",                   r#"53 "Account inactivated. Contact system administrator." 1.3.6.1.4.1.42.2.27.8.5.1=308400000003810101"#),
    ("disabled, wrong",            r#"53 "Account inactivated. Contact system administrator." 1.3.6.1.4.1.42.2.27.8.5.1=308400000003810101"#),
    ("locked",                     r#"19 "Exceed password retry limit. Please try later." 1.3.6.1.4.1.42.2.27.8.5.1=308400000003810101"#),
    ("locked, wrong",              r#"19 "Exceed password retry limit. Please try later." 1.3.6.1.4.1.42.2.27.8.5.1=308400000003810101"#),
    ("expired",                    r#"49 "password expired!" 1.3.6.1.4.1.42.2.27.8.5.1=308400000003810100 2.16.840.1.113730.3.4.4=30"#),
    ("expired, wrong",             r#"49 """#),
    ("must change",                r#"0 "" 1.3.6.1.4.1.42.2.27.8.5.1=30840000000ea084000000058003015180810102 2.16.840.1.113730.3.4.4=30"#),
    ("must change, then a search", r#"53 """#),
    ("must change, wrong",         r#"49 """#),
    ("set anew",                   r#"0 """#),
    ("set anew, old",              r#"49 """#),
];

#[tokio::test]
async fn tells_states_by_code_by_control_and_by_entry() {
    let server = Ds389::start(LDIF);
    let mut ldap = service(&server).await;
    let alan = server.dn("ajones");
    assert_eq!(readable(&mut ldap, &alan).await, ["memberOf", "modifyTimestamp", "nsUniqueId"]);
    let group = read_one(&mut ldap, &alan, "memberOf").await;
    assert_eq!(group.as_deref(), Some("cn=Alan Jones,ou=groups,ou=people,dc=renovations,dc=example"));
    assert_eq!(verdicts(&server).await, ANSWERS.map(|(what, said)| (what, said.to_owned())));
    for (name, attribute, value) in [
        ("alamb", "nsAccountLock", Some("true")),
        ("ajones", "nsAccountLock", None),
        ("mbrown", "passwordExpirationTime", Some("20200101000000Z")),
        ("mbrown2", "passwordExpirationTime", Some("19700101000000Z")),
        ("mbrown2", "pwdReset", Some("TRUE")),
        ("ajones", "pwdReset", None),
        ("jmueller", "pwdReset", None),
        ("ajones", "accountUnlockTime", None),
    ] {
        assert_eq!(read_one(&mut ldap, &server.dn(name), attribute).await.as_deref(), value, "{name} {attribute}");
    }
    assert!(read_one(&mut ldap, &server.dn("tclerk"), "accountUnlockTime").await.is_some());
    assert!(read_one(&mut ldap, &server.dn("jmueller"), "pwdUpdateTime").await.is_some());
}

/// Each wrong password is a change of the person, the lock with the last; so is becoming a member of a group.
#[tokio::test]
async fn tells_its_followers_of_people_and_of_their_groups() {
    let server = Ds389::start(LDIF);
    let mut told = told(&server).await;
    told.dedup();
    let modified = ["ajones", "tclerk", "alamb"].map(|name| format!("modify {}", server.dn(name)));
    assert_eq!(told, [&modified[..], &[format!("delete {}", server.dn("mbrown"))]].concat());
}
