//! `moving-from-courier.md`, with Debian's Courier and its authldap in front of Debian's slapd.

use super::openldap::{PEOPLE, start_slapd};
use super::{Follower, Guide};
use crate::support::courier;

/// As Courier was set up years ago: passwords are proven by binds, homes are in entries, mail belongs to `vmail`.
/// The last line tells authldap that the file is complete.
const CONFIGURATION: &str = "LDAP_URI ldap://localhost
LDAP_PROTOCOL_VERSION 3
LDAP_BASEDN ou=people,dc=example,dc=org
LDAP_BINDDN cn=courier,ou=services,dc=example,dc=org
LDAP_BINDPW courier and more
LDAP_TIMEOUT 5
LDAP_AUTHBIND 1
LDAP_MAIL uid
LDAP_GLOB_UID vmail
LDAP_GLOB_GID vmail
LDAP_HOMEDIR homeDirectory
LDAP_MAILDIR Maildir
LDAP_FULLNAME cn
##NAME: MARKER:0
";

const SERVICE: &str = "
dn: ou=services,dc=example,dc=org
objectClass: organizationalUnit
ou: services

dn: cn=courier,ou=services,dc=example,dc=org
objectClass: applicationProcess
objectClass: simpleSecurityObject
cn: courier
userPassword: courier and more
";

/// A Courier that has served Ada's mail for a while.
fn with_courier() -> Follower {
    let follower = Follower::new();
    let home = |name: &str| {
        format!(
            "objectClass: posixAccount\nuid: {name}\nuidNumber: 900\ngidNumber: 900\nhomeDirectory: /srv/mail/{name}"
        )
    };
    let people = ["ada", "alan"].iter().fold(PEOPLE.to_owned(), |people, name| {
        people.replace(
            &format!("objectClass: inetOrgPerson\nuid: {name}"),
            &format!("objectClass: inetOrgPerson\n{}", home(name)),
        )
    });
    start_slapd(&follower, &(people + SERVICE));
    follower.deliver("ada", "1700000001.M1P1.mx", "Hello");
    follower.deliver("ada", "1700000002.M2P2.mx", "Again");
    let packages = follower.shelf.path().join("courier");
    std::fs::create_dir(&packages).unwrap();
    for package in std::fs::read_dir(courier::packages()).unwrap() {
        let package = package.unwrap();
        std::fs::copy(package.path(), packages.join(package.file_name())).unwrap();
    }
    // Its packages conflict with those of Dovecot, and one of them wants to make its own certificate.
    follower.succeeds(
        ": > /var/lib/dpkg/statoverride
         dpkg --force-depends -r dovecot-pop3d dovecot-imapd dovecot-ldap > /dev/null 2>&1
         dpkg --force-depends --force-conflicts -i /shelf/courier/*.deb > /dev/null 2>&1 || true
         useradd --system --user-group --no-create-home --shell /usr/sbin/nologin vmail
         chown -R vmail:vmail /srv/mail
         install -m 0600 /dev/null /etc/courier/pop3d.pem
         cat /shelf/server.key /shelf/server.pem > /etc/courier/pop3d.pem
         sed -i 's/^authmodulelist=.*/authmodulelist=\"authldap\"/' /etc/courier/authdaemonrc",
    );
    follower.write("/etc/courier/authldaprc", CONFIGURATION);
    follower.succeeds("systemctl restart courier-authdaemon courier-pop courier-pop-ssl");
    follower
}

#[test]
fn mail_programs_go_on_where_they_were_with_courier() {
    let (guide, mut follower) = (Guide::read("moving-from-courier.md"), with_courier());
    follower.typed = "engine 1843";
    let unique_ids = "curl --silent --show-error --user 'ada:engine 1843' pop3://pop.example.org/ --request UIDL";
    let before = follower.succeeds(unique_ids);
    assert_eq!(before.lines().count(), 2, "{before}");
    follower.follow(&guide);
    let after = follower.succeeds(&unique_ids.replace("pop3:", "pop3s:"));
    assert_eq!(after, before);
}
