//! A child with its group of processes, which is dead once this value is dropped.

use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use tokio::io::unix::AsyncFd;
use tokio::process::Child;

use super::marks;

/// A child that leads a group of its own.
#[derive(Debug)]
pub(crate) struct ChildGroup {
    child: Child,
    /// The group's id, as long as the child was not waited for: its id is nobody else's until then.
    group: Option<Pid>,
    mark: String,
}

impl ChildGroup {
    pub(super) fn new(child: Child, mark: String) -> Self {
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        Self { child, group, mark }
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Waits until the child ends by itself, then kills the rest of its group. `None`: how it ended cannot be told.
    pub(crate) async fn ended(&mut self) -> Option<std::process::ExitStatus> {
        // Seen without being waited for, so that the group's id is still its own when the group is killed.
        let handle = self.group.and_then(|group| pidfd_open(group, PidfdFlags::NONBLOCK).ok());
        #[expect(
            deprecated,
            reason = "its successor is unsafe, for handles that others may close; this one is our own"
        )]
        if let Some(handle) = handle.and_then(|handle| AsyncFd::new(handle).ok()) {
            drop(handle.readable().await);
            self.kill_group();
        }
        let status = self.child.wait().await.ok();
        self.group = None;
        status
    }

    /// Kills what left the group, by its mark.
    pub(crate) fn kill_marked(&self) {
        marks::kill(&self.mark);
    }

    fn kill_group(&self) {
        if let Some(group) = self.group {
            // An error says that all of it has ended.
            kill_process_group(group, Signal::KILL).unwrap_or_default();
        }
    }
}

impl Drop for ChildGroup {
    fn drop(&mut self) {
        if self.group.is_some() {
            self.kill_group();
            self.kill_marked();
        }
    }
}
