//! Programs that some tests need: installed with apt if they are missing and xtask runs as root, and then tried out.

use std::process::{Command, Stdio};

use crate::cargo::succeeds;

/// The programs that a group of tests starts.
#[derive(Debug, Clone, Copy)]
struct Need {
    /// How the names of these tests begin.
    tests: &'static str,
    /// The programs; each answers `--version`.
    programs: &'static [&'static str],
    /// The Debian packages that contain the programs.
    packages: &'static [&'static str],
    /// A further check after the installation; its error says why the tests cannot run.
    trial: Option<fn() -> Result<(), String>>,
}

const NEEDS: [Need; 6] = [
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
        tests: "mcp_servers::",
        programs: &["node", "npm", "bwrap"],
        packages: &["nodejs", "npm", "bubblewrap"],
        trial: None,
    },
    Need { tests: "mcp::child::", programs: &["python3"], packages: &["python3"], trial: None },
    Need { tests: "sandbox::", programs: &["bwrap"], packages: &["bubblewrap"], trial: None },
    Need {
        tests: "monitoring::",
        programs: &["prometheus", "prometheus-alertmanager", "chromium", "chromedriver"],
        packages: &["prometheus", "prometheus-alertmanager", "chromium", "chromium-driver"],
        trial: None,
    },
];

/// A group of tests that cannot run on this machine, and the reason.
#[derive(Debug)]
pub(crate) struct Missing {
    pub(crate) tests: &'static str,
    pub(crate) why: String,
}

/// Installs missing programs, and returns the groups of tests whose programs are still missing or do not work.
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
            // On a fresh machine apt's package lists may be missing or old.
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
        return Err("starting systemd in a container needs root".to_owned());
    }
    let mut trial = Command::new("systemd-nspawn");
    trial.args(["--quiet", "--register=no", "--keep-unit", "--console=pipe", "--volatile=yes", "--directory=/"]);
    if works(trial.arg("/usr/bin/true")) {
        Ok(())
    } else {
        Err("systemd-nspawn cannot start a container on this machine".to_owned())
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
