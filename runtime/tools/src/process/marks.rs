//! Marks in the environment of children, by which they are found when their group is not enough.
//!
//! A mark names the process that started the child, by its id and the time it started, and the child's number. So it says of a
//! child whether its owner still lives, whoever asks.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// The variable that holds a mark.
pub(super) const MARK: &str = "PROVOST_CHILD";

static NEXT: AtomicU64 = AtomicU64::new(0);

/// The mark of a new child of this process.
pub(super) fn fresh() -> String {
    let own = std::process::id();
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{own}-{}-{number}", started(own).unwrap_or_default())
}

/// Kills every process with this mark.
pub(super) fn kill(mark: &str) {
    kill_where(|found| found == mark);
}

/// Kills every child whose owner is gone: what a process that was killed left behind. Called before the first call of this
/// one, so that nothing an earlier owner started runs beside it.
pub(super) fn sweep() {
    kill_where(|mark| {
        let mut parts = mark.split('-');
        let owner = parts.next().and_then(|owner| owner.parse::<u32>().ok());
        let since = parts.next().and_then(|since| since.parse::<u64>().ok());
        // What cannot be read was not written here.
        owner.zip(since).is_some_and(|(owner, since)| started(owner) != Some(since))
    });
}

fn kill_where(doomed: impl Fn(&str) -> bool) {
    let Ok(processes) = fs::read_dir("/proc") else { return };
    let own = std::process::id();
    let ids = processes.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    for id in ids.filter(|id| *id != own) {
        let pid = i32::try_from(id).ok().and_then(Pid::from_raw);
        // Opened before its mark is read, so that the signal cannot meet another process of this id.
        let Some(handle) = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()) else { continue };
        if mark_of(id).is_some_and(|mark| doomed(&mark)) {
            // An error says that it has ended.
            pidfd_send_signal(&handle, Signal::KILL).unwrap_or_default();
        }
    }
}

fn mark_of(id: u32) -> Option<String> {
    let environment = fs::read(format!("/proc/{id}/environ")).ok()?;
    let mark = environment.split(|byte| *byte == 0).find_map(|entry| {
        let value = entry.strip_prefix(MARK.as_bytes())?.strip_prefix(b"=")?;
        std::str::from_utf8(value).ok()
    });
    mark.map(str::to_owned)
}

/// When a process started, in ticks since the machine did.
fn started(id: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name in parentheses may hold anything. The start is the twentieth field after it.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    fn marked(mark: &str) -> std::process::Child {
        let mut command = Command::new("sleep");
        command.arg("600").env_clear().env("PATH", "/usr/bin:/bin").env(MARK, mark).stdout(Stdio::null());
        command.spawn().unwrap()
    }

    #[test]
    fn only_children_of_owners_that_are_gone_are_swept() {
        let own = std::process::id();
        let living = fresh();
        assert_ne!(living, fresh());
        let (mut of_living, mut of_dead, mut odd) =
            (marked(&living), marked(&format!("{own}-1-0")), marked("something else"));
        sweep();
        assert!(of_dead.wait().unwrap().code().is_none(), "killed by a signal");
        assert!(of_living.try_wait().unwrap().is_none() && odd.try_wait().unwrap().is_none());
        kill(&living);
        assert!(of_living.wait().unwrap().code().is_none());
        odd.kill().unwrap();
        odd.wait().unwrap();
    }
}
