//! `/healthz` and `/readyz`: whether a load balancer should send clients here.

use restante::demo::fault_injection::InjectedFault;
use rustix::process::Signal;

use super::{ADMIN, Answer, get, http_address};
use crate::support::stage::{PASSWORD, Stage};
use crate::support::wait_until;

const IMPATIENT: &str = "    timeouts: { connect: 1s, operation: 1s, search: 2s }\n    keep_alive: 1s\n";

fn stage(cache: &str) -> Stage {
    Stage::set_by(&[("cur/1.a", b"a\n")], |plan, _| {
        plan.directory.push_str(IMPATIENT);
        plan.further.push_str(ADMIN);
        plan.further.push_str(cache);
    })
}

#[test]
fn a_service_that_shuts_down_is_not_ready() {
    let big = vec![b'x'; 60].into_iter().chain([b'\n']).cycle().take(40_000_000).collect::<Vec<u8>>();
    let stage = Stage::set(ADMIN, &[("cur/1.big", &big)]);
    let address = http_address(&stage.service);
    assert_eq!(get(address, "/readyz").body, "ok\n");
    let mut client = stage.session();
    client.send("RETR 1");
    client.expect("+OK");
    stage.service.signal(Signal::TERM);
    stage.service.wait_for_log(&["shutting down"]);
    let answer = get(address, "/readyz");
    assert_eq!((answer.status, answer.body.as_str()), (503, "shutting down\n"));
    assert_eq!(get(address, "/healthz").status, 200);
}

/// Nobody has to log in before the service notices: a load balancer would send nobody.
#[test]
fn a_service_without_directory_is_not_ready_until_it_is_back() {
    for fault in [InjectedFault::Refuse, InjectedFault::Silent] {
        let stage = stage("cache: { outage_grace: 0s }\n");
        let address = http_address(&stage.service);
        wait_until("the service is ready", || get(address, "/readyz").status == 200);
        stage.session().ask("QUIT", "+OK");
        stage.directory.controls().inject(fault.clone());
        // Where the connection stays open, a login finds out.
        if fault == InjectedFault::Silent {
            let mut client = stage.client();
            client.ask("USER alamb", "+OK");
            client.ask("PASS x", "-ERR [SYS/TEMP]");
        }
        wait_until("the outage is known", || get(address, "/readyz").status == 503);
        let Answer { body, .. } = get(address, "/readyz");
        assert_eq!(body, "no directory server answers, and nobody is within the outage grace\n");
        let shown = stage.command(&["status"]);
        assert!(shown.contains("not ready: no directory server answers"), "{shown}");
        assert!(get(address, "/").body.contains("does not answer"));
        stage.directory.controls().inject(InjectedFault::None);
        wait_until("the directory is back", || get(address, "/readyz").status == 200);
    }
}

#[test]
fn a_service_that_somebody_can_use_in_an_outage_is_ready() {
    let stage = stage("");
    let address = http_address(&stage.service);
    stage.session().ask("QUIT", "+OK");
    stage.directory.controls().inject(InjectedFault::Refuse);
    let up = |stage: &Stage| {
        let metrics = get(address, "/metrics").body;
        let url = stage.directory.url();
        super::value(&metrics, &format!("restante_directory_server_up{{directory=\"test\",server=\"{url}\"}}"))
    };
    wait_until("the outage is known", || up(&stage) == Some(0.0));
    assert_eq!(get(address, "/readyz").status, 200);
    let mut client = stage.client();
    client.login("ajones", PASSWORD);
    client.ask("QUIT", "+OK");
}
