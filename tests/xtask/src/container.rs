//! Whether this machine can start a systemd in a container, which some tests need.

use std::process::{Command, Stdio};

use crate::cargo::succeeds;

/// The tests that need it, by the start of their names.
pub(crate) const TESTS: &str = "systemd::";

/// Installs systemd-nspawn with apt where it is missing, and tries it. `Err` says why it cannot be.
pub(crate) fn ready() -> Result<(), String> {
    let id = Command::new("id").arg("-u").output().map_err(|error| format!("`id -u` does not start: {error}"))?;
    if id.stdout.trim_ascii() != b"0" {
        return Err("starting a systemd in a container needs root".to_owned());
    }
    if !works(Command::new("systemd-nspawn").arg("--version")) {
        println!("systemd-nspawn is missing and is installed now");
        let mut install = Command::new("apt-get");
        install.args(["install", "--yes", "--no-install-recommends", "systemd-container"]);
        if !succeeds(&mut install).unwrap_or(false) {
            return Err("systemd-nspawn is missing; install it (Debian: systemd-container)".to_owned());
        }
    }
    let mut trial = Command::new("systemd-nspawn");
    trial.args(["--quiet", "--register=no", "--keep-unit", "--console=pipe", "--volatile=yes", "--directory=/"]);
    if works(trial.arg("/usr/bin/true")) {
        Ok(())
    } else {
        Err("systemd-nspawn starts nothing on this machine".to_owned())
    }
}

fn works(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
