//! Where an API key comes from. A key is read once, kept out of every error, and never printed.

use std::fs::File;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use provost_domain::failure::ModelFailure;
use secrecy::SecretString;

/// Most bytes of a key's file; a key is far shorter, and anything longer is not a key.
const KEY_MAX: u64 = 16 * 1024;
/// The folder in which systemd leaves a service its credentials.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// Where an API key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// A file of this name in the service's credentials directory (`LoadCredential=` of a systemd unit).
    Credential(String),
    /// An environment variable of this name.
    Env(String),
    /// A file.
    File(PathBuf),
}

/// Reads a key; `variable` answers what the environment holds. White space around the key is dropped.
///
/// # Errors
/// [`ModelFailure::LlmConfig`] when there is no key where it should be; it names the place and never holds the key.
pub fn read_key(source: &KeySource, variable: &dyn Fn(&str) -> Option<String>) -> Result<SecretString, ModelFailure> {
    let (place, text) = match source {
        KeySource::Credential(id) => {
            let place = format!("the credential `{id}`");
            let folder = variable(CREDENTIALS).ok_or_else(|| {
                config(format!("{place} needs `{CREDENTIALS}`, which systemd sets; elsewhere use `env` or `file`"))
            })?;
            (place, read_file(&Path::new(&folder).join(plain_name(id)?))?)
        }
        KeySource::Env(name) => {
            let place = format!("the variable `{name}`");
            let text = variable(name).ok_or_else(|| config(format!("{place} is not set; it should hold the key")))?;
            (place, text)
        }
        KeySource::File(path) => (format!("the file {}", path.display()), read_file(path)?),
    };
    let key = text.trim();
    if key.is_empty() {
        return Err(config(format!("{place} is empty; it should hold the key")));
    }
    if !key.chars().all(|c| c.is_ascii_graphic()) {
        return Err(config(format!("{place} holds more than a key: only visible ASCII characters, on one line")));
    }
    Ok(SecretString::from(key))
}

/// A credential's name is one plain file name, so that it cannot lead out of its directory.
fn plain_name(id: &str) -> Result<&str, ModelFailure> {
    let mut parts = Path::new(id).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(name)), None) if name == id => Ok(id),
        _ => Err(config(format!("`{id}` is no credential's name; write a plain file name"))),
    }
}

fn read_file(path: &Path) -> Result<String, ModelFailure> {
    let cannot = |error: std::io::Error| config(format!("reading the key from {}: {error}", path.display()));
    let mut text = String::new();
    File::open(path).map_err(cannot)?.take(KEY_MAX + 1).read_to_string(&mut text).map_err(cannot)?;
    if text.len() as u64 > KEY_MAX {
        return Err(config(format!("{} is longer than {KEY_MAX} bytes; it should hold only the key", path.display())));
    }
    Ok(text)
}

fn config(detail: String) -> ModelFailure {
    ModelFailure::LlmConfig { detail }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    #[track_caller]
    fn check(source: &KeySource, variables: &[(&str, &str)], expect: Result<&str, &str>) {
        let variable =
            |name: &str| variables.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).to_owned());
        match (read_key(source, &variable), expect) {
            (Ok(key), Ok(expect)) => {
                assert_eq!(key.expose_secret(), expect);
                assert!(!format!("{key:?}").contains(expect));
            }
            (Err(ModelFailure::LlmConfig { detail }), Err(part)) => {
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
        check(&KeySource::File(path), &[], Ok("sk-file"));
        check(&KeySource::Credential("model-key".to_owned()), &[(CREDENTIALS, directory)], Ok("sk-file"));
        check(&KeySource::Env("KEY".to_owned()), &[("KEY", "sk-env")], Ok("sk-env"));
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_shown() {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().to_str().unwrap();
        let path = folder.path().join("long");
        std::fs::write(&path, "sk-".repeat(10_000)).unwrap();
        check(&KeySource::File(path), &[], Err("longer than"));
        check(&KeySource::File(folder.path().join("none")), &[], Err("reading the key from"));
        check(&KeySource::Env("KEY".to_owned()), &[], Err("`KEY` is not set"));
        check(&KeySource::Env("KEY".to_owned()), &[("KEY", " \n")], Err("is empty"));
        check(&KeySource::Env("KEY".to_owned()), &[("KEY", "sk-a\nsk-b")], Err("more than a key"));
        check(&KeySource::Credential("model-key".to_owned()), &[], Err(CREDENTIALS));
        for id in ["../model-key", "/etc/passwd", "", ".", "a/b"] {
            check(&KeySource::Credential(id.to_owned()), &[(CREDENTIALS, directory)], Err("plain file name"));
        }
    }
}
