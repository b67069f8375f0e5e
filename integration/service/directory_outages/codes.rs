//! Every result code of a bind, and Active Directory's reasons.

use restante::demo::directory::Controls;
use restante::demo::fault_injection::InjectedFault;

use super::{ALAN, HOLD_NOTHING, LAMB, embedded, plan, puts_off, serves, serves_soon, site};
use crate::support::login::refuses;
use crate::support::service::Service;

fn answer(controls: &Controls, code: i64, text: &str) {
    controls.inject(InjectedFault::BindResult { code, text: text.to_owned() });
}

/// Alan was proven a moment ago, and the directory's binds are well again.
fn prove_alan(service: &Service, controls: &Controls) {
    controls.inject(InjectedFault::None);
    serves_soon(service, ALAN);
}

#[test]
fn a_result_is_a_refusal_or_an_outage_or_a_mistake() {
    let ((directory, controls), site) = (embedded(), site());
    let service = site.serve(&plan(&[&directory.url()]).and(HOLD_NOTHING));
    for refused in [49, 48, 32, 34, 19, 53] {
        prove_alan(&service, &controls);
        answer(&controls, refused, "");
        refuses(&service, ALAN.0, ALAN.1, "AUTH");
        // And the grace is over: what was proven before was just refused.
        controls.inject(InjectedFault::Refuse);
        puts_off(&service, ALAN);
    }
    for outage in [51, 52, 3, 1, 80] {
        prove_alan(&service, &controls);
        answer(&controls, outage, "");
        serves(&service, ALAN);
        puts_off(&service, LAMB);
        puts_off(&service, ("ajones", "wrong"));
    }
    service.wait_for_logs(&[" event=login person=\"ajones\" ", "proof=\"outage grace\""], 5);
    for mistake in [7, 8, 13] {
        prove_alan(&service, &controls);
        answer(&controls, mistake, "");
        refuses(&service, ALAN.0, ALAN.1, "SYS/PERM");
        service.wait_for_log(&["ERROR", "misconfigured", &format!("result {mistake} ")]);
    }
    for other in [2, 12, 50, 65] {
        prove_alan(&service, &controls);
        answer(&controls, other, "");
        puts_off(&service, ALAN);
        service.wait_for_log(&["WARN", "unavailable", &format!("result {other} ")]);
    }
    prove_alan(&service, &controls);
}

#[test]
fn active_directory_tells_the_reason_and_the_log_too() {
    let ((directory, controls), site) = (embedded(), site());
    let service = site.serve(&plan(&[&directory.url()]).and(HOLD_NOTHING));
    for (code, reason) in [
        ("525", "the entry is gone"),
        ("52e", "wrong password"),
        ("530", "not allowed at this hour or from this machine"),
        ("532", "password expired"),
        ("533", "account disabled"),
        ("701", "account expired"),
        ("773", "password must be changed first"),
        ("775", "account locked"),
    ] {
        let text =
            format!("80090308: LdapErr: DSID-0C09041C, comment: AcceptSecurityContext error, data {code}, v4563\0");
        answer(&controls, 49, &text);
        refuses(&service, ALAN.0, ALAN.1, "AUTH");
        service.wait_for_log(&["login refused", "person=\"ajones\"", &format!("reason=\"{reason}\" ")]);
    }
    answer(&controls, 53, "Account inactivated. Contact system administrator.");
    refuses(&service, ALAN.0, ALAN.1, "AUTH");
    service.wait_for_log(&["login refused", "person=\"ajones\"", "reason=\"account disabled\" "]);
    answer(&controls, 53, "not today");
    refuses(&service, ALAN.0, ALAN.1, "AUTH");
    service.wait_for_log(&["login refused", "unwillingToPerform", "not today"]);
}
