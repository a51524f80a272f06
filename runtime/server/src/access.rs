//! From a token or a login to a caller, within the rate of requests a token has.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use provost_domain::access::{Secret, Token};
use provost_domain::ids::TokenId;
use provost_domain::port::{Clock, Tokens};
use provost_domain::time::Timestamp;
use provost_face::{Caller, Code};
use subtle::ConstantTimeEq as _;

use crate::cookie::Login;
use crate::problem::Problem;

/// The time of a token's last use is kept to the minute.
const USED_EVERY: Duration = Duration::from_mins(1);

/// How many requests one token may send. The default is far above what a person or a script needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestRate {
    /// Per second, over time.
    pub per_second: NonZeroU32,
    /// How many may come at once, before the rate counts.
    pub burst: NonZeroU32,
}

impl Default for RequestRate {
    fn default() -> Self {
        const PER_SECOND: NonZeroU32 = NonZeroU32::new(200).unwrap();
        const BURST: NonZeroU32 = NonZeroU32::new(1000).unwrap();
        Self { per_second: PER_SECOND, burst: BURST }
    }
}

/// Tokens and the bounds on their use.
#[derive(Debug)]
pub(crate) struct Access {
    tokens: Arc<dyn Tokens>,
    clock: Arc<dyn Clock>,
    used: Mutex<HashMap<TokenId, Timestamp>>,
    rate: RequestRate,
    rates: DefaultKeyedRateLimiter<TokenId>,
}

/// Who was let in, and by which token. Names of tokens are used again; their ids are not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Admission {
    pub(crate) token: TokenId,
    pub(crate) caller: Caller,
}

impl Access {
    pub(crate) fn new(tokens: Arc<dyn Tokens>, clock: Arc<dyn Clock>, rate: RequestRate) -> Self {
        let rates = RateLimiter::keyed(Quota::per_second(rate.per_second).allow_burst(rate.burst));
        Self { tokens, clock, used: Mutex::default(), rate, rates }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The caller a secret stands for.
    pub(crate) async fn by_secret(&self, secret: &str) -> Result<Admission, Problem> {
        let token = self.genuine(secret).await?;
        self.let_in(token).await
    }

    async fn genuine(&self, secret: &str) -> Result<Token, Problem> {
        let secret = Secret::parse(secret).ok_or_else(worthless)?;
        let token = self.tokens.token(&secret.id()).await?.ok_or_else(worthless)?;
        let genuine: bool = token.digest.as_bytes().ct_eq(secret.digest().as_bytes()).into();
        if genuine { Ok(token) } else { Err(worthless()) }
    }

    /// The caller a login stands for: its token's, as long as that is worth something.
    pub(crate) async fn logged_in(&self, login: &Login) -> Result<Admission, Problem> {
        let token = self.tokens.token(&login.token).await?.ok_or_else(worthless)?;
        self.let_in(token).await
    }

    async fn let_in(&self, token: Token) -> Result<Admission, Problem> {
        let now = self.now();
        if !token.is_valid(now) {
            return Err(worthless());
        }
        self.note_use(&token, now).await?;
        Ok(Admission { caller: Caller { principal: token.principal(), role: token.role }, token: token.id })
    }

    /// Counts a request.
    pub(crate) fn within_rate(&self, token: &TokenId) -> Result<(), Problem> {
        let over = || format!("over {} requests a second by this token; slow down", self.rate.per_second);
        self.rates.check_key(token).map_err(|_over| Problem::new(Code::RateLimited, over()))
    }

    async fn note_use(&self, token: &Token, now: Timestamp) -> Result<(), Problem> {
        let due = {
            let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
            let due = used.get(&token.id).is_none_or(|last| now.since(*last) >= USED_EVERY);
            if due {
                used.insert(token.id.clone(), now);
            }
            due
        };
        if due {
            self.tokens.used(&token.id, now).await?;
        }
        Ok(())
    }
}

fn worthless() -> Problem {
    Problem::new(Code::Unauthenticated, "this token is unknown, expired or revoked; ask an admin")
}
