//! mbsync(1), between a Maildir and another one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::maildir;
use super::process::{output, program, succeed};

/// Two Maildirs to be kept alike, with what mbsync remembers of them.
pub struct Mbsync {
    configuration: PathBuf,
    /// The other Maildir.
    pub far: PathBuf,
}

impl Mbsync {
    /// Keeps a Maildir alike to one that is made in a folder. mbsync writes `,U=` into the names of both.
    pub fn between(near: &Path, folder: &Path) -> Self {
        let (far, configuration) = (folder.join("far"), folder.join("mbsyncrc"));
        maildir::make(&far, &[]);
        let (near, other, state) = (near.display(), far.display(), folder.join("mbsync-state"));
        let text = format!(
            "MaildirStore near\nInbox {near}\n\nMaildirStore far\nInbox {other}\n\nChannel all\nNear :near:\nFar :far:\n\
             Sync All\nExpunge Both\nSyncState {}\n",
            state.display()
        );
        fs::write(&configuration, text).unwrap();
        Self { configuration, far }
    }

    /// Synchronises them once.
    pub fn run(&self) {
        succeed(&mut self.command(), "");
    }

    /// The same where others work in one of them, so that it may fail.
    pub fn try_run(&self) {
        output(&mut self.command(), "");
    }

    fn command(&self) -> Command {
        let mut command = program("mbsync");
        command.arg("-c").arg(&self.configuration).arg("all");
        command
    }
}
