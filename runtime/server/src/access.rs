//! From a token or a login to a caller, within the rate of requests a token has.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use provost_domain::access::{Permission, Secret, Token};
use provost_domain::ids::TokenId;
use provost_domain::port::{Clock, Tokens};
use provost_domain::time::Timestamp;
use provost_face::{Caller, Code};
use subtle::ConstantTimeEq as _;

use crate::cookie::Login;
use crate::problem::Problem;

/// The time of a token's last use is kept to the minute.
const USED_EVERY: Duration = Duration::from_mins(1);
/// Requests of one token per second, and how many may come at once: far above what a person or a script needs.
const RATE: NonZeroU32 = NonZeroU32::new(200).unwrap();
const BURST: NonZeroU32 = NonZeroU32::new(1000).unwrap();

/// Tokens and the bounds on their use.
#[derive(Debug)]
pub(crate) struct Access {
    tokens: Arc<dyn Tokens>,
    clock: Arc<dyn Clock>,
    used: Mutex<HashMap<TokenId, Timestamp>>,
    rates: DefaultKeyedRateLimiter<TokenId>,
}

impl Access {
    pub(crate) fn new(tokens: Arc<dyn Tokens>, clock: Arc<dyn Clock>) -> Self {
        let rates = RateLimiter::keyed(Quota::per_second(RATE).allow_burst(BURST));
        Self { tokens, clock, used: Mutex::default(), rates }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The caller a secret stands for. Deliveries have a bound of their own, which is answered so that senders try again.
    pub(crate) async fn caller(&self, secret: &str, permission: Permission) -> Result<Caller, Problem> {
        let token = self.genuine(secret).await?;
        if permission != Permission::Deliver {
            self.within_rate(&token.id)?;
        }
        self.let_in(&token).await
    }

    /// The token a secret is of, and the caller it stands for: what a login begins with.
    pub(crate) async fn logging_in(&self, secret: &str) -> Result<(TokenId, Caller), Problem> {
        let token = self.genuine(secret).await?;
        self.within_rate(&token.id)?;
        let caller = self.let_in(&token).await?;
        Ok((token.id, caller))
    }

    async fn genuine(&self, secret: &str) -> Result<Token, Problem> {
        let secret = Secret::parse(secret).ok_or_else(worthless)?;
        let token = self.tokens.token(&secret.id()).await?.ok_or_else(worthless)?;
        let genuine: bool = token.digest.as_bytes().ct_eq(secret.digest().as_bytes()).into();
        if genuine { Ok(token) } else { Err(worthless()) }
    }

    /// The caller a login stands for: its token's, as long as that is worth something.
    pub(crate) async fn logged_in(&self, login: &Login) -> Result<Caller, Problem> {
        let token = self.tokens.token(&login.token).await?.ok_or_else(worthless)?;
        self.within_rate(&token.id)?;
        self.let_in(&token).await
    }

    async fn let_in(&self, token: &Token) -> Result<Caller, Problem> {
        let now = self.now();
        if !token.is_valid(now) {
            return Err(worthless());
        }
        self.note_use(token, now).await?;
        Ok(Caller { principal: token.principal(), role: token.role })
    }

    /// Counts a request.
    fn within_rate(&self, token: &TokenId) -> Result<(), Problem> {
        let over = || format!("over {RATE} requests a second by this token; slow down");
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
