//! Memory of an audit: people are read page by page, whatever their number.

use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::process::Stdio;

use restante::demo::people;
use serde_json::Value;

use super::configured;
use crate::support::directory::RealDirectory;
use crate::support::service::{Plan, restante};
use crate::support::slapd::Slapd;

/// People as they are in large organisations: two hundred first names, a thousand last names, and few common names of
/// their own. Nobody has a mailbox, so that each is a finding as well, which is the most that can be held of anybody.
fn entries(count: usize) -> String {
    let (suffix, _) = people::LDIF.split_once("dn: ou=Sales,").unwrap();
    let mut text = suffix.to_owned();
    for number in 0..count {
        let (first, last) = (number % 200, number * 7 % 1_000);
        write!(
            text,
            "dn: uid=u{number},ou=people,dc=renovations,dc=example\nobjectClass: inetOrgPerson\nuid: u{number}\n\
             cn: First{first} Last{last}\ncn: First{first} M{number} Last{last}\ngivenName: First{first}\nsn: Last{last}\n\
             mail: first{first}.last{last}.{number}@renovations.example\n\n"
        )
        .unwrap();
    }
    text
}

/// Audits so many people; gives the report and the most memory the process ever had, in KiB.
fn audit(count: usize) -> (Value, u64) {
    let slapd = Slapd::start(&entries(count));
    let site = configured(&Plan::at(&slapd.url()));
    let mut command = restante();
    command.args(["audit", "--json", "--config"]).arg(site.folder().join("restante.yaml"));
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut told = child.stdout.take().unwrap();
    let (mut report, mut chunk, mut peak) = (Vec::new(), vec![0; 1 << 20], 0);
    // While there is more to read than a pipe holds, the process is still there to be looked at.
    loop {
        let octets = told.read(&mut chunk).unwrap();
        if octets == 0 {
            break;
        }
        report.extend_from_slice(&chunk[..octets]);
        peak = peak.max(most_memory(child.id()));
    }
    assert_eq!(child.wait().unwrap().code(), Some(1));
    (serde_json::from_slice(&report).unwrap(), peak)
}

/// The peak of a process's resident memory, in KiB; 0 if it is gone.
fn most_memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.map(|peak| peak.trim_end_matches(" kB").trim().parse().unwrap()).unwrap_or_default()
}

fn takes_no_more_than(count: usize, most: u64) {
    let (report, peak) = audit(count);
    println!("{count} people: {peak} KiB at the most");
    assert_eq!((&report["people"], &report["complete"]), (&count.into(), &true.into()));
    let found = report["findings"].as_array().unwrap();
    assert_eq!(found.iter().filter(|finding| finding["kind"] == "no_mailbox").count(), count);
    let shared =
        report["would_be_ambiguous"].as_array().unwrap().iter().find(|name| name["about"] == "first7").unwrap();
    assert_eq!(shared["count"], count / 200);
    assert!(peak < most, "{peak} KiB for {count} people");
}

#[test]
fn some_thousands_take_little_memory() {
    takes_no_more_than(4_000, 64 * 1024);
}

#[test]
#[ignore = "takes minutes; ./integration/run --all"]
fn a_hundred_thousand_take_less_than_256_mib() {
    takes_no_more_than(100_000, 256 * 1024);
}
