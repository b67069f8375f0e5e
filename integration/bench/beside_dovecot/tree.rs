//! What a process and all below it cost.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

/// Clock ticks of `/proc` a second.
const TICKS: u64 = 100;

/// User and system time of a process and all its descendants, those that have ended included (`proc_pid_stat(5)`).
pub fn cpu(root: u32) -> Duration {
    let ticks: u64 = members(root).iter().filter_map(|pid| ticks(*pid)).sum();
    Duration::from_millis(ticks * 1000 / TICKS)
}

/// Proportional set size of a process and all its descendants, in octets.
pub fn memory(root: u32) -> u64 {
    members(root).iter().filter_map(|pid| pss(*pid)).sum()
}

fn members(root: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in fs::read_dir("/proc").unwrap() {
        let pid = entry.unwrap().file_name().into_string().ok().and_then(|name| name.parse().ok());
        if let Some((pid, fields)) = pid.and_then(|pid: u32| Some((pid, fields(pid)?))) {
            children.entry(fields[1].parse().unwrap()).or_default().push(pid);
        }
    }
    let (mut members, mut next) = (vec![root], 0);
    while let Some(pid) = members.get(next) {
        members.extend(children.get(pid).into_iter().flatten().copied().collect::<Vec<_>>());
        next += 1;
    }
    members
}

/// The fields of `stat` from the third on, behind the name of the program.
fn fields(pid: u32) -> Option<Vec<String>> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    Some(stat.rsplit_once(") ")?.1.split(' ').map(str::to_owned).collect())
}

fn ticks(pid: u32) -> Option<u64> {
    let fields = fields(pid)?;
    // utime, stime, cutime, cstime.
    fields[11..15].iter().map(|field| field.parse::<u64>().ok()).sum()
}

fn pss(pid: u32) -> Option<u64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
}
