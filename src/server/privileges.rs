//! The limits and rights of the process: as many descriptors as the system allows, and no more rights than it needs.
//!
//! The calls that change the user act on one thread, so they are made before any other thread exists.

use std::fs;

use rustix::process::{Gid, Resource, Rlimit, Uid, geteuid, getrlimit, setrlimit};
use rustix::thread::{set_no_new_privs, set_thread_groups, set_thread_res_gid, set_thread_res_uid};

/// Raises the soft limit of open descriptors to the hard one; returns the new limit, none if unlimited.
#[must_use]
pub fn raise_descriptor_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    }
}

/// Whether the process runs as root.
#[must_use]
pub fn is_root() -> bool {
    geteuid().is_root()
}

/// Whether the process runs as that user.
#[must_use]
pub fn is_user(name: &str) -> bool {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    user(&users, name).is_some_and(|(uid, _)| geteuid() == Uid::from_raw(uid))
}

/// Becomes a user, with the groups that `/etc/group` gives them, for good.
///
/// # Errors
/// A sentence: no such user, or not allowed to become them.
pub fn become_user(name: &str) -> Result<(), String> {
    let describe = |file: &str, fault: std::io::Error| format!("{file}: {fault}");
    let users = fs::read_to_string("/etc/passwd").map_err(|fault| describe("/etc/passwd", fault))?;
    let groups = fs::read_to_string("/etc/group").map_err(|fault| describe("/etc/group", fault))?;
    let (uid, gid) = user(&users, name).ok_or_else(|| format!("/etc/passwd has no user \"{name}\""))?;
    let further: Vec<Gid> = further_groups(&groups, name).into_iter().chain([gid]).map(Gid::from_raw).collect();
    let refused = |fault: rustix::io::Errno| format!("cannot become {name}: {fault}");
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
    set_thread_groups(&further).map_err(refused)?;
    set_thread_res_gid(gid, gid, gid).map_err(refused)?;
    set_thread_res_uid(uid, uid, uid).map_err(refused)?;
    set_no_new_privs(true).map_err(refused)
}

/// `name:password:uid:gid:…` (passwd(5)).
fn user(users: &str, name: &str) -> Option<(u32, u32)> {
    let mut fields = users
        .lines()
        .map(|line| line.split(':'))
        .find_map(|mut fields| (fields.next() == Some(name)).then_some(fields))?;
    Some((fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?))
}

/// `name:password:gid:member,member` (group(5)).
fn further_groups(groups: &str, name: &str) -> Vec<u32> {
    let of_line = |line: &str| {
        let mut fields = line.split(':').skip(2);
        let (gid, members) = (fields.next()?, fields.next()?);
        members.split(',').any(|member| member == name).then(|| gid.parse().ok())?
    };
    groups.lines().filter_map(of_line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_user_and_their_groups() {
        let users = "root:x:0:0:root:/root:/bin/sh\nvmail:x:5000:5001::/srv/mail:/bin/false\n";
        assert_eq!(user(users, "vmail"), Some((5000, 5001)));
        assert_eq!(user(users, "vmai"), None);
        let groups = "ssl-cert:x:110:postgres,vmail\nmail:x:8:\nvmail:x:5001:\nother:x:9:xvmail\n";
        assert_eq!(further_groups(groups, "vmail"), [110]);
    }
}
