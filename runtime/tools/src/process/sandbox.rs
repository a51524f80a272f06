//! What a program may reach of the machine.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use provost_form::{At, ErrorLog, FromYaml, Table, YamlNode, table};

/// What every sandbox shows of the machine, read-only, as far as it is there.
const SHOWN: [&str; 10] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib64",
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ssl",
    "/etc/ca-certificates",
    "/etc/pki",
];
/// What one with a network shows besides.
const SHOWN_TO_THE_NETWORK: [&str; 4] = ["/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/services"];

table! {
    /// The key `bubblewrap`: what a program sees besides the system's own programs.
    #[derive(Debug, Clone)]
    pub(crate) struct BubblewrapSection {
        /// What it may read.
        read: Vec<PathBuf> = Vec::new(),
        /// What it may read and change.
        write: Vec<PathBuf> = Vec::new(),
        /// Whether it reaches the network.
        network: bool = false,
    }
}

/// How programs are kept apart from the rest of the machine.
#[derive(Debug, Clone)]
pub(crate) enum Sandbox {
    /// By bubblewrap.
    Bubblewrap(BubblewrapSection),
    /// Not at all, for this reason of the site's.
    Absent(String),
}

impl Sandbox {
    pub(crate) const KEYS: [&'static str; 2] = ["bubblewrap", "none"];
    const HINT: &'static str = "write `bubblewrap: {read: [PATH]}`, or `none: REASON` to run without a sandbox";

    /// Reads one of the two keys.
    pub(crate) fn read(node: &YamlNode, table: &Table<'_>, log: &mut ErrorLog) -> Option<Self> {
        match (table.get("bubblewrap"), table.get("none")) {
            (Some(shown), None) => BubblewrapSection::read(shown, log).map(Self::Bubblewrap),
            (None, Some(reason)) => String::read(reason, log).map(Self::Absent),
            (Some(_), Some(_)) => {
                log.report(node.place, "`bubblewrap` and `none` exclude each other", Self::HINT);
                None
            }
            (None, None) => {
                log.report(node.place, "nothing says how programs are kept apart from this machine", Self::HINT);
                None
            }
        }
    }

    /// Reports a folder that programs cannot work in because the sandbox does not show it.
    pub(super) fn shows(&self, folder: &At<PathBuf>, log: &mut ErrorLog) {
        let Self::Bubblewrap(section) = self else { return };
        if !section.read.iter().chain(&section.write).any(|shown| folder.value.starts_with(shown)) {
            let hint = "add it, or a folder around it, to `read` or `write`";
            log.report(folder.place, "the sandbox does not show this folder", hint);
        }
    }

    /// Program and arguments as they are started.
    pub(super) fn wrapped(&self, argv: &[OsString], folder: &Path) -> Vec<OsString> {
        match self {
            Self::Absent(_) => argv.to_vec(),
            Self::Bubblewrap(section) => section.around(argv, folder),
        }
    }

    /// Whether programs can be started so on this machine; an error says why not.
    pub(crate) fn try_out(&self) -> Result<(), String> {
        let Self::Bubblewrap(section) = self else { return Ok(()) };
        let argv = section.around(&["/bin/true".into()], Path::new("/"));
        let (program, rest) = argv.split_first().ok_or("it names no program")?;
        let cannot = |why: String| {
            format!(
                "`bubblewrap` does not work here: {why}; install it and allow it namespaces, or write `none: REASON` \
                 and let something else keep the programs apart"
            )
        };
        let tried = Command::new(program).args(rest).env_clear().output();
        let tried = tried.map_err(|error| cannot(error.to_string()))?;
        if tried.status.success() {
            return Ok(());
        }
        Err(cannot(String::from_utf8_lossy(&tried.stderr).trim().chars().take(300).collect()))
    }
}

impl BubblewrapSection {
    fn around(&self, argv: &[OsString], folder: &Path) -> Vec<OsString> {
        let mut words: Vec<OsString> =
            ["/usr/bin/bwrap", "--unshare-all", "--die-with-parent", "--new-session"].map(OsString::from).into();
        if self.network {
            words.push("--share-net".into());
        }
        let network: &[&str] = if self.network { &SHOWN_TO_THE_NETWORK } else { &[] };
        for shown in SHOWN.iter().chain(network) {
            words.extend(["--ro-bind-try", shown, shown].map(OsString::from));
        }
        words.extend(["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"].map(OsString::from));
        for (option, paths) in [("--ro-bind", &self.read), ("--bind", &self.write)] {
            for path in paths {
                words.extend([option.into(), path.into(), path.into()]);
            }
        }
        words.extend(["--chdir".into(), folder.into(), "--".into()]);
        words.extend_from_slice(argv);
        words
    }
}
