//! `upgrading.md`: the program alone is replaced and put back, and sockets of systemd keep connections waiting meanwhile.

use super::{Follower, Guide};

/// Fetches again and again until a file appears, and notes what goes wrong.
const FETCHING: &str = "rm -f enough; while ! test -e enough; do \
    curl --silent --show-error --user 'ada:engine 1843' pop3s://pop.example.org/ > /dev/null 2>> faults || true; done";

#[test]
fn the_program_is_replaced_and_put_back_and_no_connection_is_refused() {
    let (guide, follower) = (Guide::read("upgrading.md"), Follower::new());
    follower.deliver("ada", "1.first", "Hello");
    follower.serve("");
    follower.succeeds("cp /shelf/restante restante; echo '# the new one' >> restante");
    let running = || follower.succeeds("sha256sum < /proc/$(systemctl show -P MainPID restante)/exe");
    let old = running();
    follower.follow_steps(&guide.section("The program alone"));
    let new = running();
    assert_ne!(new, old);

    follower.follow_steps(&guide.section("Without a refused connection"));
    follower.succeeds(&format!("systemd-run --quiet --unit=fetching --working-directory=/root bash -c \"{FETCHING}\""));
    let process = || follower.succeeds("systemctl show -P MainPID restante");
    let before = process();
    let waits_for_fetches = || {
        let count = "journalctl -u restante -o cat | grep -c 'event=login '";
        let seen: usize = follower.succeeds(&format!("{count} || true")).trim().parse().unwrap();
        follower.machine.waits_for(&format!("test $({count}) -gt {}", seen + 3));
    };
    waits_for_fetches();
    follower.follow_steps(&guide.section("Going back"));
    assert_ne!(process(), before);
    assert_eq!(running(), old);
    waits_for_fetches();
    follower.succeeds("touch enough");
    follower.machine.waits_for("! systemctl is-active --quiet fetching");
    // A session that the restart ended may have failed, but everybody could connect: 7 is CURLE_COULDNT_CONNECT.
    let faults = follower.succeeds("cat faults");
    assert!(!faults.contains("curl: (7)"), "{faults}");
}
