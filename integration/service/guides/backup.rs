//! `backup.md`: mail is saved, lost and restored as the guide tells, beside a mail program that leaves mail on the server.

use super::{Follower, Guide};

/// A mail program that leaves mail on the server, and remembers unique-ids.
const MPOP: &str = "account ada
host pop.example.org
port 995
tls on
tls_starttls off
tls_trust_file /etc/ssl/certs/ca-certificates.crt
user ada
password \"engine 1843\"
keep on
uidls_file /root/uidls
delivery maildir /root/fetched
";

/// How many messages the mail program has downloaded, once it has fetched what is new to it.
fn fetched(follower: &Follower) -> usize {
    let fetch = "chmod 0600 mpop.conf; mpop --quiet --file mpop.conf ada; ls fetched/new | wc -l";
    follower.succeeds(fetch).trim().parse().unwrap()
}

fn unique_ids(follower: &Follower) -> String {
    follower.succeeds("curl --silent --show-error --user 'ada:engine 1843' pop3s://pop.example.org/ --request UIDL")
}

#[test]
fn a_restored_mail_root_makes_no_client_download_anything_twice_and_loses_nothing() {
    let (guide, follower) = (Guide::read("backup.md"), Follower::new());
    follower.deliver("ada", "1700000001.M1P1.mx", "Hello");
    follower.deliver("ada", "1700000002.M2P2.mx", "Again");
    // The unique-ids are those of an old server, whose list is gone: only the pins have them.
    follower.succeeds(
        "printf '/2 3 1700000000\\n1700000001.M1P1.mx 60 1:1700000000\\n1700000002.M2P2.mx 60 2:1700000000\\n' \
             > /srv/mail/ada/Maildir/courierpop3dsizelist
         chown restante:restante /srv/mail/ada/Maildir/courierpop3dsizelist",
    );
    follower.serve("uidl: { import: read }\n");
    follower.write("mpop.conf", MPOP);
    follower.succeeds("mkdir -p fetched/cur fetched/new fetched/tmp");
    assert_eq!(fetched(&follower), 2);
    follower.succeeds(
        "rm /srv/mail/ada/Maildir/courierpop3dsizelist
         sed -i 's/import: read/import: done/' /etc/restante/restante.yaml
         systemctl restart restante",
    );
    let before = unique_ids(&follower);
    assert_eq!(before.matches("UID").count(), 2, "{before}");

    follower.follow_steps(&guide.section("Save"));
    let listed =
        "cd /srv/mail && find . -type f ! -name 'restante-index*' ! -name 'restante.lock*' -exec sha256sum {} + | sort";
    let saved = follower.succeeds(listed);
    follower.succeeds("find /srv/mail /etc/restante -mindepth 1 -delete; rm /etc/systemd/system/restante.service");
    follower.follow_steps(&guide.section("Restore"));

    assert_eq!(follower.succeeds(listed), saved);
    assert_eq!(unique_ids(&follower), before);
    assert_eq!(fetched(&follower), 2);
    follower.deliver("ada", "1700000003.M3P3.mx", "After");
    assert_eq!(fetched(&follower), 3);

    // What the guide says of a restore without pins.
    follower.succeeds("systemctl stop restante; rm /srv/mail/ada/Maildir/restante-pins*; systemctl start restante");
    assert!(!unique_ids(&follower).contains("UID"));
}
