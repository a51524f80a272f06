//! A real systemd in a container (systemd-nspawn), sharing this machine's `/usr` and network. Needs root.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::eventually::eventually;

/// Only how long a failing test takes.
const PATIENCE: Duration = Duration::from_mins(1);
/// What a system needs of its own beside `/usr`.
const FILES: [(&str, &str); 5] = [
    ("etc/os-release", "ID=test\nNAME=test\n"),
    // A machine that was started before: nothing is enabled by itself.
    ("etc/machine-id", "0123456789abcdef0123456789abcdef\n"),
    ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
    ("etc/group", "root:x:0:\n"),
    ("etc/nsswitch.conf", "passwd: files systemd\ngroup: files systemd\nhosts: files\n"),
];

/// A machine's folders before its start.
#[derive(Debug)]
pub struct Disk {
    root: TempDir,
    binds: Vec<String>,
}

impl Disk {
    /// The least a system starts from.
    pub fn new() -> Self {
        let root = TempDir::new().unwrap();
        for link in ["bin", "sbin", "lib", "lib64"] {
            std::os::unix::fs::symlink(format!("usr/{link}"), root.path().join(link)).unwrap();
        }
        let disk = Self { root, binds: Vec::new() };
        for (path, text) in FILES {
            disk.write(path, text);
        }
        disk
    }

    /// The path of one of its files, as this machine sees it.
    pub fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    /// Writes a file.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Copies a file or a folder with all that is in it.
    pub fn copy(&self, from: &Path, to: &str) {
        if from.is_file() {
            fs::create_dir_all(self.path(to).parent().unwrap()).unwrap();
            fs::copy(from, self.path(to)).unwrap();
            return;
        }
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            self.copy(&entry.path(), &format!("{to}/{}", entry.file_name().to_string_lossy()));
        }
    }

    /// Shows a path of this machine to the other, read-only.
    pub fn show(&mut self, here: &Path, there: &str) {
        self.binds.push(format!("--bind-ro={}:{there}", here.display()));
    }

    /// Starts the machine and waits until its systemd answers.
    pub async fn boot(self) -> Machine {
        let mut command = Command::new("systemd-nspawn");
        command.args(["--quiet", "--register=no", "--keep-unit", "--bind-ro=/usr", "--console=pipe", "--boot"]);
        command.args(&self.binds).arg("--directory").arg(self.root.path());
        command.arg(format!(
            "--machine=provost-{}",
            self.root.path().file_name().unwrap().to_string_lossy().replace('.', "")
        ));
        command.arg("systemd.unit=basic.target");
        let log = fs::File::create(self.path("boot.log")).unwrap();
        let nspawn = command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).kill_on_drop(true);
        let nspawn =
            nspawn.spawn().unwrap_or_else(|error| panic!("systemd-nspawn: {error}; `cargo xtask test` installs it"));
        let nspawn_id = nspawn.id().unwrap();
        let leader = eventually("its first process", PATIENCE, || std::future::ready(first_process(nspawn_id))).await;
        let Ok(leader) = leader else { panic!("{}", fs::read_to_string(self.path("boot.log")).unwrap()) };
        let machine = Machine { disk: self, leader, nspawn };
        let up = eventually("its systemd", PATIENCE, || async {
            let target = machine.run(&["systemctl", "is-active", "basic.target"]).await;
            (String::from_utf8_lossy(&target.stdout).trim() == "active").then_some(())
        });
        let up = up.await;
        assert!(up.is_ok(), "{}", fs::read_to_string(machine.disk.path("boot.log")).unwrap());
        machine
    }
}

impl Default for Disk {
    fn default() -> Self {
        Self::new()
    }
}

/// The container's first process: nspawn's child once it is systemd.
fn first_process(nspawn: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{nspawn}/task/{nspawn}/children")).ok()?;
    children
        .split_whitespace()
        .filter_map(|id| id.parse().ok())
        .find(|id: &u32| fs::read_to_string(format!("/proc/{id}/comm")).is_ok_and(|comm| comm.trim() == "systemd"))
}

/// A running machine; it ends with this value.
#[derive(Debug)]
pub struct Machine {
    /// Its files.
    pub disk: Disk,
    leader: u32,
    nspawn: Child,
}

impl Machine {
    /// Runs a command in it, as its root.
    pub async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new("nsenter");
        command.args([
            "--mount",
            "--uts",
            "--ipc",
            "--pid",
            "--root",
            "--wd=/",
            "--target",
            &self.leader.to_string(),
            "--",
        ]);
        command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        tokio::time::timeout(PATIENCE, command.output()).await.unwrap().unwrap()
    }

    /// Runs a command that must succeed; what it printed.
    pub async fn must(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        assert!(output.status.success(), "{arguments:?}: {text}\n{}", String::from_utf8_lossy(&output.stderr));
        text
    }

    /// A unit's property.
    pub async fn property(&self, unit: &str, name: &str) -> String {
        self.must(&["systemctl", "show", "--value", "--property", name, unit]).await
    }

    /// Waits until a unit's property fulfils something.
    pub async fn until(&self, unit: &str, name: &str, holds: impl Fn(&str) -> bool) -> String {
        let value = eventually(name, PATIENCE, || async {
            let value = self.property(unit, name).await;
            holds(&value).then_some(value)
        });
        match value.await {
            Ok(value) => value,
            Err(error) => panic!("{error:?}: {}\n{}", self.property(unit, name).await, self.journal(unit).await),
        }
    }

    /// What a unit logged.
    pub async fn journal(&self, unit: &str) -> String {
        self.must(&["journalctl", "--no-pager", "--output=short-monotonic", "--unit", unit]).await
    }

    /// Ends it and gives its files back.
    pub async fn end(mut self) -> Disk {
        self.nspawn.kill().await.unwrap();
        self.disk
    }
}
