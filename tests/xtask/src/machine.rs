//! What some tests need of the machine: installed with apt where it is missing and that is allowed, and tried.

use std::process::{Command, Stdio};

use crate::cargo::succeeds;

/// Programs that tests start.
#[derive(Debug, Clone, Copy)]
struct Need {
    /// The tests, by the start of their names.
    tests: &'static str,
    /// The programs; each answers `--version`.
    programs: &'static [&'static str],
    /// The Debian packages that bring them.
    packages: &'static [&'static str],
    /// What else must work.
    trial: Option<fn() -> Result<(), String>>,
}

const NEEDS: [Need; 3] = [
    Need {
        tests: "systemd::",
        programs: &["systemd-nspawn"],
        packages: &["systemd-container"],
        trial: Some(starts_a_container),
    },
    Need {
        tests: "page_browser::",
        programs: &["chromium", "chromedriver"],
        packages: &["chromium", "chromium-driver"],
        trial: None,
    },
    Need {
        tests: "monitoring::",
        programs: &["prometheus", "prometheus-alertmanager", "chromium", "chromedriver"],
        packages: &["prometheus", "prometheus-alertmanager", "chromium", "chromium-driver"],
        trial: None,
    },
];

/// Tests that cannot run here, and why.
#[derive(Debug)]
pub(crate) struct Missing {
    pub(crate) tests: &'static str,
    pub(crate) why: String,
}

/// Installs what is missing. What is still missing then keeps its tests from running.
pub(crate) fn ready() -> Vec<Missing> {
    let missing = |need: Need| need.ready().err().map(|why| Missing { tests: need.tests, why });
    NEEDS.into_iter().filter_map(missing).collect()
}

impl Need {
    fn ready(self) -> Result<(), String> {
        if !self.is_there() {
            println!("installing for the tests {}*: {}", self.tests, self.packages.join(", "));
            let install = "(Debian: apt-get install ".to_owned() + &self.packages.join(" ") + ")";
            if !is_root() {
                return Err(format!("{} is missing; install it {install}", self.programs.join(", ")));
            }
            // The lists of packages of a fresh machine may be absent or old.
            let installed =
                apt(&["install"], self.packages) || apt(&["update"], &[]) && apt(&["install"], self.packages);
            if !installed || !self.is_there() {
                return Err(format!("{} could not be installed; install it {install}", self.programs.join(", ")));
            }
        }
        self.trial.map_or(Ok(()), |trial| trial())
    }

    fn is_there(self) -> bool {
        self.programs.iter().all(|program| works(Command::new(program).arg("--version")))
    }
}

fn apt(verb: &[&str], packages: &[&str]) -> bool {
    let mut apt = Command::new("apt-get");
    apt.args(["--yes", "--no-install-recommends"]).args(verb).args(packages).env("DEBIAN_FRONTEND", "noninteractive");
    succeeds(&mut apt).unwrap_or(false)
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}

fn starts_a_container() -> Result<(), String> {
    if !is_root() {
        return Err("starting a systemd in a container needs root".to_owned());
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
