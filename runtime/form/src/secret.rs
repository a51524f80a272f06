//! Places of secrets, and reading them. A secret is read once, kept out of every error, and never printed.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Component, Path, PathBuf};

use secrecy::SecretString;

use crate::error::ErrorLog;
use crate::node::YamlNode;
use crate::read::FromYaml;
use crate::variables::Variable;

/// Most bytes of a secret's file; a key is far shorter, and anything longer is not a key.
const SECRET_MAX: u64 = 16 * 1024;
/// The folder in which systemd leaves a service its credentials.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// Where a key or another secret is. The secret itself is never part of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretPlace {
    /// A file of this name in the service's credentials directory (`LoadCredential=` of a systemd unit).
    Credential(String),
    /// An environment variable of this name.
    Env(String),
    /// The file that holds nothing else.
    File(PathBuf),
}

/// There is no secret where it should be. Names the place and never holds the secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Nothing is there for this process: another one, which runs as a service, may find it.
    #[error("{0}")]
    Absent(String),
    /// What is there is no key, or the place is none.
    #[error("{0}")]
    Unusable(String),
}

/// Reads a secret from its place.
pub type ReadSecret<'a> = &'a dyn Fn(&SecretPlace) -> Result<SecretString, SecretError>;

impl SecretPlace {
    /// Reads the secret; `variable` answers what the environment holds. White space around the secret is dropped.
    pub fn load(&self, variable: Variable<'_>) -> Result<SecretString, SecretError> {
        let (place, text) = match self {
            Self::Credential(id) => {
                let place = format!("the credential `{id}`");
                let folder = variable(CREDENTIALS).ok_or_else(|| {
                    let other = "which systemd sets; elsewhere use `env` or `file`";
                    SecretError::Absent(format!("{place} needs `{CREDENTIALS}`, {other}"))
                });
                let name = plain_name(id)?;
                (place, read_file(&Path::new(&folder?).join(name))?)
            }
            Self::Env(name) => {
                let place = format!("the variable `{name}`");
                let unset = || SecretError::Absent(format!("{place} is not set; it should hold the key"));
                let text = variable(name).ok_or_else(unset)?;
                (place, text)
            }
            Self::File(path) => (format!("the file {}", path.display()), read_file(path)?),
        };
        let secret = text.trim();
        if secret.is_empty() {
            return Err(SecretError::Unusable(format!("{place} is empty; it should hold the key")));
        }
        // A private key in PEM form has several lines.
        let pem = secret.starts_with("-----BEGIN ") && secret.ends_with("-----");
        if !secret.chars().all(|c| c.is_ascii_graphic() || (pem && " \r\n".contains(c))) {
            let detail = "holds more than a key: only visible ASCII characters, on one line, or one text in PEM form";
            return Err(SecretError::Unusable(format!("{place} {detail}")));
        }
        Ok(SecretString::from(secret))
    }
}

/// A credential's name, which must be one plain file name so that it cannot lead out of its directory.
fn plain_name(id: &str) -> Result<&str, SecretError> {
    let mut parts = Path::new(id).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(name)), None) if name == id => Ok(id),
        _ => Err(SecretError::Unusable(format!("`{id}` is not a credential's name; write a plain file name"))),
    }
}

fn read_file(path: &Path) -> Result<String, SecretError> {
    let cannot = |error: std::io::Error| {
        let detail = format!("reading the key from {}: {error}", path.display());
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::PermissionDenied => SecretError::Absent(detail),
            _ => SecretError::Unusable(detail),
        }
    };
    let mut text = String::new();
    File::open(path).map_err(cannot)?.take(SECRET_MAX + 1).read_to_string(&mut text).map_err(cannot)?;
    if text.len() as u64 > SECRET_MAX {
        let detail = format!("is longer than {SECRET_MAX} bytes; it should hold only the key");
        return Err(SecretError::Unusable(format!("{} {detail}", path.display())));
    }
    Ok(text)
}

impl FromYaml for SecretPlace {
    /// No message shows what was written: somebody may have written the secret.
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        let mut entries = node.entries();
        if let (Some((kind, name)), None) = (entries.next(), entries.next()) {
            match kind.as_str() {
                "credential" => return String::read(name, log).map(Self::Credential),
                "env" => return String::read(name, log).map(Self::Env),
                "file" => return PathBuf::read(name, log).map(Self::File),
                _ => {}
            }
        }
        let message = "here stands where the secret is, and nothing else";
        log.report(node.place, message, "write {credential: ID}, {env: NAME} or {file: PATH}");
        None
    }

    fn blank() -> Self {
        Self::Env(String::new())
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[track_caller]
    fn check(place: &SecretPlace, variables: &[(&str, &str)], expect: Result<&str, &str>) {
        let variable =
            |name: &str| variables.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).to_owned());
        match (place.load(&variable), expect) {
            (Ok(key), Ok(expect)) => {
                assert_eq!(key.expose_secret(), expect);
                assert!(!format!("{key:?}").contains(expect));
            }
            (Err(SecretError::Absent(detail) | SecretError::Unusable(detail)), Err(part)) => {
                assert!(detail.contains(part), "{detail}");
                assert!(!detail.contains("sk-"), "the key in {detail}");
            }
            (found, expect) => panic!("{found:?}, expected {expect:?}"),
        }
    }

    #[test]
    fn a_key_is_read_from_each_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model-key");
        std::fs::write(&path, " sk-file\n").unwrap();
        let directory = folder.path().to_str().unwrap();
        check(&SecretPlace::File(path), &[], Ok("sk-file"));
        check(&SecretPlace::Credential("model-key".to_owned()), &[(CREDENTIALS, directory)], Ok("sk-file"));
        check(&SecretPlace::Env("KEY".to_owned()), &[("KEY", "sk-env")], Ok("sk-env"));
        let pem = "-----BEGIN PRIVATE KEY-----\nAAAA\r\nBBBB\n-----END PRIVATE KEY-----";
        check(&SecretPlace::Env("KEY".to_owned()), &[("KEY", &format!("{pem}\n"))], Ok(pem));
    }

    #[test]
    fn a_place_without_anything_is_told_from_one_without_a_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("empty");
        std::fs::write(&path, "").unwrap();
        let absent = |place: SecretPlace| match place.load(&|_| None).unwrap_err() {
            SecretError::Absent(_) => true,
            SecretError::Unusable(_) => false,
        };
        assert!(absent(SecretPlace::Env("KEY".to_owned())));
        assert!(absent(SecretPlace::Credential("model-key".to_owned())));
        assert!(absent(SecretPlace::File(folder.path().join("none"))));
        assert!(!absent(SecretPlace::File(path)));
        assert!(!absent(SecretPlace::File(folder.path().to_owned())));
        assert!(!absent(SecretPlace::Credential("../model-key".to_owned())), "no service finds it either");
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_shown() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().to_str().unwrap();
        let path = folder.path().join("long");
        std::fs::write(&path, "sk-".repeat(10_000)).unwrap();
        check(&SecretPlace::File(path), &[], Err("longer than"));
        check(&SecretPlace::File(folder.path().join("none")), &[], Err("reading the key from"));
        check(&SecretPlace::Env("KEY".to_owned()), &[], Err("`KEY` is not set"));
        check(&SecretPlace::Env("KEY".to_owned()), &[("KEY", " \n")], Err("is empty"));
        check(&SecretPlace::Env("KEY".to_owned()), &[("KEY", "sk-a\nsk-b")], Err("more than a key"));
        check(&SecretPlace::Env("KEY".to_owned()), &[("KEY", "-----BEGIN A-----\nsk-a")], Err("more than a key"));
        check(&SecretPlace::Credential("model-key".to_owned()), &[], Err(CREDENTIALS));
        for id in ["../model-key", "/etc/passwd", "", ".", "a/b"] {
            check(&SecretPlace::Credential(id.to_owned()), &[(CREDENTIALS, directory)], Err("plain file name"));
        }
    }
}
