//! The page's login: a cookie signed by the server, which names a token and ends by itself. It holds no secret of the
//! token's, and is worth nothing once the token is not.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, header};
use hmac::{Hmac, Mac as _};
use provost_domain::ids::{Digest, TokenId};
use provost_domain::time::Timestamp;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// The cookie's name.
const NAME: &str = "provost_login";
/// How long a login lasts: a shift.
const LASTS: Duration = Duration::from_hours(12);

/// Issues, reads and ends logins.
pub(crate) struct Logins {
    /// The key, padded to the hash's block as HMAC does.
    key: [u8; 64],
    /// Logins that were ended before their time, until that time.
    ended: Mutex<BTreeMap<String, Timestamp>>,
}

impl std::fmt::Debug for Logins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Logins").finish_non_exhaustive()
    }
}

/// A login that is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Login {
    /// The token it stands for.
    pub(crate) token: TokenId,
    expires_at: Timestamp,
    value: String,
}

impl Logins {
    pub(crate) fn new(key: [u8; 32]) -> Self {
        let mut block = [0; 64];
        for (to, from) in block.iter_mut().zip(key) {
            *to = from;
        }
        Self { key: block, ended: Mutex::default() }
    }

    /// A `Set-Cookie` value for a new login by a token.
    pub(crate) fn begin(&self, token: &TokenId, now: Timestamp, https: bool) -> String {
        let expires_at = now.plus(LASTS).micros();
        let nonce = uuid::Uuid::new_v4().simple();
        let body = format!("{token}.{expires_at}.{nonce}");
        let value = format!("{body}.{}", self.sign("login", &body));
        set_cookie(&value, LASTS.as_secs(), https)
    }

    /// The login a request carries, if it is genuine and in force.
    pub(crate) fn of(&self, headers: &HeaderMap, now: Timestamp) -> Option<Login> {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let (_, value) = pairs.find(|(name, _)| *name == NAME)?;
        let (body, signature) = value.rsplit_once('.')?;
        let genuine: bool = self.sign("login", body).as_bytes().ct_eq(signature.as_bytes()).into();
        let mut parts = body.split('.');
        let (token, expires_at) = (parts.next()?, parts.next()?.parse().ok().map(Timestamp::from_micros)?);
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner).contains_key(value);
        (genuine && now < expires_at && !ended).then(|| Login {
            token: TokenId::new(token),
            expires_at,
            value: value.to_owned(),
        })
    }

    /// Ends a login; the `Set-Cookie` value that makes the browser forget it. A restart forgets that it was ended, so a
    /// copy of the cookie lives at most until its own time is up; revoking the token ends it at once and for good.
    pub(crate) fn end(&self, login: &Login, now: Timestamp) -> String {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        ended.retain(|_, expires_at| now < *expires_at);
        ended.insert(login.value.clone(), login.expires_at);
        set_cookie("", 0, false)
    }

    /// What every form of this login carries, so that no other page can send one.
    pub(crate) fn csrf(&self, login: &Login) -> String {
        self.sign("csrf", &login.value)
    }

    /// Whether a form came from a page of this login.
    pub(crate) fn is_own(&self, login: &Login, csrf: &str) -> bool {
        self.csrf(login).as_bytes().ct_eq(csrf.as_bytes()).into()
    }

    fn sign(&self, purpose: &str, text: &str) -> String {
        let mut mac = Hmac::<Sha256>::new(&self.key.into());
        mac.update(purpose.as_bytes());
        mac.update(b":");
        mac.update(text.as_bytes());
        Digest::from_bytes(mac.finalize().into_bytes().into()).hex()
    }
}

fn set_cookie(value: &str, seconds: u64, https: bool) -> String {
    let secure = if https { "; Secure" } else { "" };
    format!("{NAME}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carried(set_cookie: &str) -> HeaderMap {
        let pair = set_cookie.split(';').next().unwrap();
        HeaderMap::from_iter([(header::COOKIE, format!("other=1; {pair}").parse().unwrap())])
    }

    #[test]
    fn a_login_holds_until_its_time_is_up_or_it_is_ended() {
        let (logins, now) = (Logins::new([7; 32]), Timestamp::from_micros(1));
        let set = logins.begin(&TokenId::new("abc"), now, true);
        assert!(set.contains("HttpOnly; SameSite=Strict; Secure"), "{set}");
        let headers = carried(&set);
        let login = logins.of(&headers, now).unwrap();
        assert_eq!(login.token, TokenId::new("abc"));
        assert_eq!(logins.of(&headers, now.plus(LASTS)), None);
        assert_eq!(Logins::new([7; 32]).of(&headers, now), Some(login.clone()), "another process, the same key");
        assert!(logins.end(&login, now).contains("Max-Age=0"));
        assert_eq!(logins.of(&headers, now), None);
    }

    #[test]
    fn a_forged_login_or_form_is_worth_nothing() {
        let (logins, now) = (Logins::new([7; 32]), Timestamp::from_micros(1));
        let set = logins.begin(&TokenId::new("abc"), now, false);
        assert!(!set.contains("Secure"));
        assert_eq!(Logins::new([8; 32]).of(&carried(&set), now), None);
        assert_eq!(logins.of(&carried(&set.replace("abc", "abd")), now), None);
        assert_eq!(logins.of(&carried("provost_login=abc.1.x."), now), None);
        let login = logins.of(&carried(&set), now).unwrap();
        assert!(logins.is_own(&login, &logins.csrf(&login)));
        assert!(!logins.is_own(&login, ""));
    }
}
