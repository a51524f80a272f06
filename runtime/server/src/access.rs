//! From a request to a caller. Deny by default: a route is reached only through [`guard`].

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use provost_domain::access::{AccessRole, Permission, Secret, Token};
use provost_domain::ids::{Principal, TokenId};
use provost_domain::port::{Clock, Tokens};
use provost_domain::time::Timestamp;
use subtle::ConstantTimeEq as _;

use crate::app::Server;
use crate::codes::Code;
use crate::problem::Problem;

/// The time of a token's last use is kept to the minute.
const USED_EVERY: Duration = Duration::from_mins(1);
/// Requests of one token per second, and how many may come at once: far above what a person or a script needs.
const RATE: NonZeroU32 = NonZeroU32::new(200).unwrap();
const BURST: NonZeroU32 = NonZeroU32::new(1000).unwrap();

/// Who asks, as their token says.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) principal: Principal,
    pub(crate) role: AccessRole,
}

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

    pub(crate) fn tokens(&self) -> &dyn Tokens {
        &*self.tokens
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The caller a secret stands for.
    pub(crate) async fn caller(&self, secret: &str) -> Result<Caller, Problem> {
        let worthless =
            || Problem::new(Code::Unauthenticated, "this token is unknown, expired or revoked; ask an admin");
        let secret = Secret::parse(secret).ok_or_else(worthless)?;
        let token = self.tokens.token(&secret.id()).await?.ok_or_else(worthless)?;
        let genuine: bool = token.digest.as_bytes().ct_eq(secret.digest().as_bytes()).into();
        let now = self.now();
        if !genuine || !token.is_valid(now) {
            return Err(worthless());
        }
        if self.rates.check_key(&token.id).is_err() {
            return Err(Problem::new(
                Code::RateLimited,
                format!("over {RATE} requests a second by this token; slow down"),
            ));
        }
        self.note_use(&token, now).await?;
        Ok(Caller { principal: token.principal(), role: token.role })
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

/// Lets a request on to its route when its token may do what the route needs.
pub(crate) async fn guard(
    State((server, permission)): State<(Server, Permission)>,
    mut request: Request,
    next: Next,
) -> Response {
    match admit(&server, permission, request.headers()).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

async fn admit(server: &Server, permission: Permission, headers: &HeaderMap) -> Result<Caller, Problem> {
    let missing = || {
        let detail = "send `Authorization: Bearer TOKEN`; `provost tokens create NAME --role ROLE` mints one";
        Problem::new(Code::Unauthenticated, detail)
    };
    let value = headers.get(header::AUTHORIZATION).ok_or_else(missing)?;
    let (scheme, secret) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(missing)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(missing());
    }
    let caller = server.access().caller(secret.trim()).await?;
    if !caller.role.may(permission) {
        let detail = format!("the role {} may not do that; use a token with another role", caller.role);
        return Err(Problem::new(Code::Forbidden, detail).with("role", caller.role.as_str()));
    }
    Ok(caller)
}
