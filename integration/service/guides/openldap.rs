//! `openldap.md`, with Debian's slapd as its package sets it up.

use super::{ADMINISTRATOR, Follower, Guide};

pub(super) const PEOPLE: &str = "dn: ou=people,dc=example,dc=org
objectClass: organizationalUnit
ou: people

dn: uid=ada,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: ada
cn: Ada Lovelace
sn: Lovelace
mail: ada@example.org
userPassword: engine 1843

dn: uid=alan,ou=people,dc=example,dc=org
objectClass: inetOrgPerson
uid: alan
cn: Alan Turing
sn: Turing
mail: alan@example.org
userPassword: machine 1936
";

/// Starts slapd with entries, as Debian's package sets it up.
pub(super) fn start_slapd(follower: &Follower, entries: &str) {
    follower.succeeds(&format!(
        "echo 'slapd slapd/domain string example.org
slapd shared/organization string Example
slapd slapd/password1 password {ADMINISTRATOR}
slapd slapd/password2 password {ADMINISTRATOR}' | debconf-set-selections
         dpkg-reconfigure slapd
         systemctl start slapd"
    ));
    follower.write("people.ldif", entries);
    follower.run("ldapadd -x -H ldapi:/// -D cn=admin,dc=example,dc=org -W -f people.ldif");
}

/// A directory that exists before the guide begins, and a certificate for it.
fn with_slapd() -> Follower {
    let follower = Follower::new();
    start_slapd(&follower, PEOPLE);
    follower.succeeds(
        "install -d /etc/ldap/tls
         install -m 0644 /shelf/ca.pem /etc/ldap/tls/ca.pem
         install -m 0644 /shelf/server.pem /etc/ldap/tls/fullchain.pem
         install -m 0640 -g openldap /shelf/server.key /etc/ldap/tls/privkey.pem",
    );
    follower.deliver("ada", "1.first", "Hello");
    follower
}

#[test]
fn a_slapd_set_up_by_the_guide_serves_the_first_mail_and_is_followed() {
    let (guide, follower) = (Guide::read("openldap.md"), with_slapd());
    follower.follow(&guide);
    follower.machine.waits_for("journalctl -u restante -o cat | grep -q 'follow'");
    follower.write(
        "locked.ldif",
        "dn: uid=ada,ou=people,dc=example,dc=org\nchangetype: modify\nreplace: pwdAccountLockedTime\n\
         pwdAccountLockedTime: 000001010000Z\n",
    );
    follower.run("ldapmodify -x -H ldapi:/// -D cn=admin,dc=example,dc=org -W -e relax -f locked.ldif");
    let refused = "! curl --silent --user 'ada:engine 1843' pop3s://pop.example.org/";
    follower.machine.waits_for(refused);
    follower.machine.waits_for("journalctl -u restante -o cat | grep -q 'account locked'");
}

#[test]
fn the_other_ways_to_reach_slapd_pass_the_check() {
    let (guide, follower) = (Guide::read("openldap.md"), with_slapd());
    follower.follow(&guide);
    let ways = guide.shown("yaml");
    assert_eq!(ways.len(), 2);
    follower.passes_the_check_with(&ways, "    urls: [ldaps://ldap1.example.org]\n    ca: ldap-ca.pem\n");
}
