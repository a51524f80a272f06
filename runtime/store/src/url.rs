//! Addresses of stores.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use provost_form::{ErrorLog, FromYaml, YamlNode};

/// Where a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// A file of SQLite: `sqlite://PATH`, `sqlite:PATH`, or the path alone.
    Sqlite(PathBuf),
    /// The memory of this process, gone with it: `memory:`. For tests.
    Memory,
}

/// An address of no store that this program knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the store is not known: `{kind}`; write `sqlite://PATH`")]
pub struct UnknownStore {
    /// What stands before the first colon. Not the whole address, which may hold a password.
    pub kind: String,
}

impl StoreUrl {
    /// The file it is kept in, if it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(path) => Some(path),
            Self::Memory => None,
        }
    }

    /// The folder of that file: `.` where its path is a bare name.
    pub fn folder(&self) -> Option<&Path> {
        let folder = self.file()?.parent()?;
        Some(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
    }
}

impl From<&Path> for StoreUrl {
    fn from(path: &Path) -> Self {
        Self::Sqlite(path.to_owned())
    }
}

impl FromStr for StoreUrl {
    type Err = UnknownStore;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "memory:" {
            return Ok(Self::Memory);
        }
        if let Some(path) = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:")) {
            return Ok(Self::Sqlite(path.into()));
        }
        match text.split_once("://") {
            Some((kind, _)) => Err(UnknownStore { kind: kind.to_owned() }),
            None => Ok(Self::Sqlite(text.into())),
        }
    }
}

/// In a configuration only files can be named, as `sqlite://PATH`. A relative path starts from the folder of the
/// configuration.
impl FromYaml for StoreUrl {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        let text = String::read(node, log)?;
        if let Some(path) = text.strip_prefix("sqlite://") {
            return Some(Self::Sqlite(log.folder().join(path)));
        }
        // Not the whole address: it may hold a password.
        let kind = text.split_once("://").map_or("it", |(kind, _)| kind);
        log.report(node.place, format!("the store is not known: `{kind}`"), "write `sqlite://PATH`");
        None
    }

    fn blank() -> Self {
        Self::Memory
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Memory => f.write_str("memory:"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &StoreUrl, again: &str) {
        let url: StoreUrl = text.parse().unwrap();
        assert_eq!((&url, url.to_string().as_str()), (expect, again), "{text}");
    }

    #[test]
    fn a_url_names_a_file_or_the_memory() {
        let file = |path: &str| StoreUrl::Sqlite(path.into());
        check("sqlite:///var/p.db", &file("/var/p.db"), "sqlite:///var/p.db");
        check("sqlite://p.db", &file("p.db"), "sqlite://p.db");
        check("sqlite:p.db", &file("p.db"), "sqlite://p.db");
        check("./data/p.db", &file("./data/p.db"), "sqlite://./data/p.db");
        check("sqlite:///a?b#c%20d", &file("/a?b#c%20d"), "sqlite:///a?b#c%20d");
        check("memory:", &StoreUrl::Memory, "memory:");
    }

    #[test]
    fn a_bare_name_lies_in_the_present_folder() {
        let folder = |text: &str| text.parse::<StoreUrl>().unwrap().folder().map(Path::to_path_buf);
        assert_eq!(folder("p.db"), Some(".".into()));
        assert_eq!(folder("sqlite:///var/p.db"), Some("/var".into()));
        assert_eq!(folder("memory:"), None);
    }

    #[test]
    fn another_kind_is_refused_and_its_password_is_not_repeated() {
        let error = "postgres://me:secret@host/db".parse::<StoreUrl>().unwrap_err();
        assert_eq!(error.to_string(), "the store is not known: `postgres`; write `sqlite://PATH`");
    }
}
