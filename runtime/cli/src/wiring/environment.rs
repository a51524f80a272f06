//! The environment of the process, and the secrets that are found from it.

use provost_form::{SecretError, SecretPlace};
use secrecy::SecretString;

/// A variable of the environment.
#[expect(clippy::disallowed_methods, reason = "the environment is read here and nowhere else")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A secret, as this process finds it.
pub(crate) fn secret(place: &SecretPlace) -> Result<SecretString, SecretError> {
    place.load(&variable)
}
