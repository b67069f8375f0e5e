//! `389-directory-server.md`, with an instance that dscreate(8) sets up.

use super::openldap::PEOPLE;
use super::{ADMINISTRATOR, Follower, Guide};

/// An instance that exists before the guide begins, with a certificate of its own authority.
fn with_instance() -> Follower {
    let follower = Follower::new();
    follower.write(
        "example.inf",
        &format!(
            "[general]\nfull_machine_name = ldap1.example.org\nstrict_host_checking = False\n[slapd]\n\
             instance_name = example\nroot_password = {ADMINISTRATOR}\nself_sign_cert = True\n[backend-userroot]\n\
             suffix = dc=example,dc=org\ncreate_suffix_entry = True\nsample_entries = no\n"
        ),
    );
    follower.succeeds("dscreate from-file example.inf");
    follower.write("people.ldif", PEOPLE);
    follower.succeeds("ldapadd -Q -Y EXTERNAL -H ldapi://%2Frun%2Fslapd-example.socket -f people.ldif");
    follower.deliver("ada", "1.first", "Hello");
    follower
}

#[test]
fn a_389_directory_server_set_up_by_the_guide_serves_the_first_mail_and_is_followed() {
    let (guide, follower) = (Guide::read("389-directory-server.md"), with_instance());
    follower.follow(&guide);
    follower.succeeds("dsidm example -b dc=example,dc=org account lock uid=ada,ou=people,dc=example,dc=org");
    follower.machine.waits_for("! curl --silent --user 'ada:engine 1843' pop3s://pop.example.org/");
    follower.machine.waits_for("journalctl -u restante -o cat | grep -q 'account disabled'");
    follower.passes_the_check_with(&guide.shown("yaml"), "    urls: [ldaps://ldap1.example.org]\n");
}
