//! From a request to a caller. Deny by default: a route is reached only through [`guard`].

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
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
use crate::page::Login;
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

    /// The caller a secret stands for. Deliveries have a bound of their own, which is answered so that senders try again.
    async fn caller(&self, secret: &str, permission: Permission) -> Result<Caller, Problem> {
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

/// Lets a request on to its route when its token may do what the route needs.
pub(crate) async fn guard(
    State((server, permission)): State<(Server, Permission)>,
    mut request: Request,
    next: Next,
) -> Response {
    match admit(&server, permission, request.method(), request.headers()).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// The caller, if it may.
pub(crate) async fn admit(
    server: &Server,
    permission: Permission,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Caller, Problem> {
    let caller = match headers.get(header::AUTHORIZATION) {
        Some(value) => server.access().caller(bearer(value).ok_or_else(missing)?, permission).await?,
        None => by_login(server, method, headers).await?,
    };
    permit(&caller, permission)?;
    Ok(caller)
}

fn bearer(value: &HeaderValue) -> Option<&str> {
    let (scheme, secret) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
}

/// A page's script uses the API by its login; what changes something must show that it comes from such a page.
async fn by_login(server: &Server, method: &Method, headers: &HeaderMap) -> Result<Caller, Problem> {
    let login = server.logins().of(headers, server.access().now()).ok_or_else(missing)?;
    let csrf = headers.get("x-csrf-token").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !method.is_safe() && !server.logins().is_own(&login, csrf) {
        return Err(Problem::new(Code::Forbidden, "send a bearer token, or the page's own `X-CSRF-Token`"));
    }
    server.access().logged_in(&login).await
}

/// Whether the caller's role may.
pub(crate) fn permit(caller: &Caller, permission: Permission) -> Result<(), Problem> {
    if caller.role.may(permission) {
        return Ok(());
    }
    let detail = format!("the role {} may not do that; use a token with another role", caller.role);
    Err(Problem::new(Code::Forbidden, detail).with("role", caller.role.as_str()))
}

fn missing() -> Problem {
    let detail = "send `Authorization: Bearer TOKEN`; `provost tokens create NAME --role ROLE` mints one";
    Problem::new(Code::Unauthenticated, detail)
}

fn worthless() -> Problem {
    Problem::new(Code::Unauthenticated, "this token is unknown, expired or revoked; ask an admin")
}
