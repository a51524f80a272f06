//! The page's login: a secret in a cookie, whose digest the store knows until the login ends. It cannot stand in for a token,
//! and is worth nothing once its token is not.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, header};
use provost_domain::ids::{Digest, TokenId};
use provost_domain::port::{PageSession, PageSessions, StoreError};
use provost_domain::time::Timestamp;
use subtle::ConstantTimeEq as _;

use crate::origin::is_https;

/// The cookie's name where the browser came by https. The prefix makes browsers refuse it from anybody but this very host, by https.
const SECURE_NAME: &str = "__Host-provost_login";
/// The cookie's name by plain http, where every program of the host that a browser visits can read and replace it.
const PLAIN_NAME: &str = "provost_login";
/// How long a login lasts: a shift.
const LASTS: Duration = Duration::from_hours(12);

/// Issues, reads and ends logins.
#[derive(Debug)]
pub(crate) struct Logins(Arc<dyn PageSessions>);

/// A login that is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Login {
    /// The token it stands for.
    pub(crate) token: TokenId,
    digest: Digest,
    csrf: String,
}

impl Logins {
    pub(crate) fn new(sessions: Arc<dyn PageSessions>) -> Self {
        Self(sessions)
    }

    /// Begins a login by a token; the `Set-Cookie` value for the browser.
    pub(crate) async fn begin(
        &self,
        token: TokenId,
        now: Timestamp,
        headers: &HeaderMap,
    ) -> Result<String, StoreError> {
        let secret = Digest::of_parts(&[&provost_face::random()]).hex();
        let session = PageSession { digest: digest(&secret), token, begun_at: now, expires_at: now.plus(LASTS) };
        self.0.begin(&session).await?;
        Ok(set_cookie(&secret, LASTS.as_secs(), headers))
    }

    /// The login a request carries, if it is in force.
    pub(crate) async fn of(&self, headers: &HeaderMap, now: Timestamp) -> Result<Option<Login>, StoreError> {
        let Some(secret) = carried(headers) else { return Ok(None) };
        let found = self.0.page_session(digest(secret)).await?;
        let in_force = found.filter(|session| now < session.expires_at);
        Ok(in_force.map(|PageSession { digest, token, .. }| Login { token, digest, csrf: csrf(secret) }))
    }

    /// Ends a login for good; the `Set-Cookie` value that makes the browser forget it.
    pub(crate) async fn end(&self, login: &Login, headers: &HeaderMap) -> Result<String, StoreError> {
        self.0.end(login.digest).await?;
        Ok(set_cookie("", 0, headers))
    }
}

impl Login {
    /// What every form of this login carries, so that no other page can send one.
    pub(crate) fn csrf(&self) -> &str {
        &self.csrf
    }

    /// Whether a form came from a page of this login.
    pub(crate) fn is_own(&self, csrf: &str) -> bool {
        self.csrf.as_bytes().ct_eq(csrf.as_bytes()).into()
    }
}

/// The secret in the cookie of the name that goes with how the browser came: the other name proves nothing here.
fn carried(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let wanted = name(headers);
    pairs.find(|(name, _)| *name == wanted).map(|(_, value)| value)
}

fn digest(secret: &str) -> Digest {
    Digest::of_parts(&[b"login", secret.as_bytes()])
}

fn csrf(secret: &str) -> String {
    Digest::of_parts(&[b"csrf", secret.as_bytes()]).hex()
}

fn name(headers: &HeaderMap) -> &'static str {
    if is_https(headers) { SECURE_NAME } else { PLAIN_NAME }
}

fn set_cookie(value: &str, seconds: u64, headers: &HeaderMap) -> String {
    let secure = if is_https(headers) { "; Secure" } else { "" };
    let name = name(headers);
    format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn by_https_only_the_cookie_of_this_host_counts() {
        let (plain, secure) = (request(&[]), request(&[("x-forwarded-proto", "https")]));
        let set = set_cookie("s", 1, &secure);
        assert_eq!(set, "__Host-provost_login=s; Path=/; Max-Age=1; HttpOnly; SameSite=Strict; Secure");
        assert_eq!(set_cookie("s", 1, &plain), "provost_login=s; Path=/; Max-Age=1; HttpOnly; SameSite=Strict");
        let both = ("cookie", "other=1; provost_login=plain; __Host-provost_login=own");
        assert_eq!(carried(&request(&[both, ("x-forwarded-proto", "https")])), Some("own"));
        assert_eq!(carried(&request(&[both])), Some("plain"));
        let planted = ("cookie", "provost_login=planted");
        assert_eq!(carried(&request(&[planted, ("x-forwarded-proto", "https")])), None);
    }

    #[test]
    fn a_form_is_of_its_login() {
        let login = Login { token: TokenId::new("abc"), digest: digest("s"), csrf: csrf("s") };
        assert!(login.is_own(&csrf("s")) && !login.is_own(&csrf("t")) && !login.is_own("") && !login.is_own("s"));
        assert_ne!(digest("s").hex(), csrf("s"), "what a page shows opens nothing");
    }
}
