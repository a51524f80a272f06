//! The shop as a value: what it does with each request. No IO and no clock here, so that every variant can be tested as a table.

use std::time::Duration;

use axum::http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::idempotency::{Answers, KeyState};
use crate::releases::Releases;
use crate::request::{ShopAnswer, ShopEndpoint, ShopRequest};
use crate::variant::Variant;
use crate::window::{Figures, ShopWindow};
use crate::witness::ShopWitness;

/// Longest version accepted, in bytes.
const VERSION_MAX: usize = 64;

/// What every checkout takes, and what a faulty shop adds to it.
const WORK: Duration = Duration::from_millis(5);
const FAULT_DELAY: Duration = Duration::from_millis(30);

/// Of `FAULT_CYCLE` consecutive checkouts of a faulty shop those at these positions fail: 40 %, spread out, and the same each time.
const FAULT_CYCLE: u64 = 5;
const FAULT_POSITIONS: [u64; 2] = [1, 3];

/// Error ratio from which the shop calls itself degraded.
const DEGRADED_FROM: f64 = 0.02;

/// One checkout begun: how long it works and whether it then fails.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Checkout {
    pub(crate) order: u64,
    pub(crate) takes: Duration,
    pub(crate) fails: bool,
    pub(crate) release: String,
}

/// What the shop says of its own health; measured, never told from the release.
#[derive(Debug, Serialize)]
pub(crate) struct Health {
    service: &'static str,
    version: String,
    status: &'static str,
    http_errors_ratio: f64,
    http_latency_p99: f64,
    restarts: u64,
}

/// The shop's whole state, bounded in every part.
#[derive(Debug)]
pub(crate) struct Shop {
    variant: Variant,
    releases: Releases,
    window: ShopWindow,
    answers: Answers,
    witness: ShopWitness,
    checkouts_finished: u64,
}

impl Shop {
    pub(crate) fn new(variant: Variant, window: Duration, at: Timestamp) -> Self {
        let releases = match variant {
            Variant::AlreadyHealthy => Releases::sound(at),
            Variant::HealsOnRollback | Variant::RollbackDoesNotHelp | Variant::AdminFailing => Releases::faulty(at),
        };
        Self {
            variant,
            releases,
            window: ShopWindow::new(window),
            answers: Answers::default(),
            witness: ShopWitness::default(),
            checkouts_finished: 0,
        }
    }

    /// Begins a checkout; its caller works for `takes` and then calls [`Shop::finish`].
    pub(crate) fn begin(&mut self) -> Checkout {
        let order = self.witness.checkouts;
        self.witness.checkouts += 1;
        let faulty = self.is_faulty();
        Checkout {
            order,
            takes: WORK + if faulty { FAULT_DELAY } else { Duration::ZERO },
            fails: faulty && FAULT_POSITIONS.contains(&(order % FAULT_CYCLE)),
            release: self.releases.live().to_owned(),
        }
    }

    /// Ends a checkout that took `latency`.
    pub(crate) fn finish(&mut self, checkout: &Checkout, latency: Duration, at: Instant) {
        self.checkouts_finished += 1;
        self.witness.checkouts_failed += u64::from(checkout.fails);
        self.window.record(at, checkout.fails, latency);
    }

    /// Answers a `POST`: counts it, replays what its key was answered before, or acts.
    pub(crate) fn handle(&mut self, request: &ShopRequest<'_>) -> ShopAnswer {
        self.count_arrival(request.endpoint);
        let known = request.key.map(|key| self.answers.arrive(request.endpoint, key));
        if request.endpoint == ShopEndpoint::Rollback && known == Some(KeyState::New) {
            self.witness.rollback_keys += 1;
        }
        if let Some(KeyState::Acted(answer)) = known {
            self.count_repeat(request.endpoint);
            return answer;
        }
        if self.variant == Variant::AdminFailing && request.endpoint != ShopEndpoint::Oncall {
            self.witness.refused += 1;
            return ShopAnswer::refusal(
                StatusCode::SERVICE_UNAVAILABLE,
                "the admin port is out of order: try again later",
            );
        }
        let answer = self.act(request);
        if let Some(key) = request.key
            && answer.status.is_success()
        {
            self.answers.keep(request.endpoint, key, &answer);
        }
        answer
    }

    /// Says whether the shop acted under a key, and what it answered then; `null` where it cannot be sure.
    pub(crate) fn look_up(&self, key: &str) -> Value {
        match self.answers.look_up(key) {
            Some(KeyState::Acted(answer)) => json!({"happened": true, "answer": answer.body}),
            Some(KeyState::New | KeyState::NotActed) => json!({"happened": false}),
            None => json!({"happened": null}),
        }
    }

    /// The releases kept, oldest first.
    pub(crate) fn releases(&self) -> &Releases {
        &self.releases
    }

    /// The shop's health over the window before `now`.
    pub(crate) fn health(&mut self, now: Instant) -> Health {
        let figures = self.window.figures(now);
        let degraded = figures.errors_ratio >= DEGRADED_FROM;
        Health {
            service: "shop",
            version: self.releases.live().to_owned(),
            status: if degraded { "degraded" } else { "healthy" },
            http_errors_ratio: figures.errors_ratio,
            http_latency_p99: figures.latency_p99.as_secs_f64(),
            restarts: self.witness.restarts,
        }
    }

    /// The window's figures before `now`, with the requests answered 200 and 500 since the start.
    pub(crate) fn figures(&mut self, now: Instant) -> (Figures, u64, u64) {
        let failed = self.witness.checkouts_failed;
        let succeeded = self.checkouts_finished - failed;
        (self.window.figures(now), succeeded, failed)
    }

    /// Counts a `GET` to the admin port.
    pub(crate) fn count_admin_read(&mut self) {
        self.witness.admin_reads += 1;
    }

    /// What the shop saw so far.
    pub(crate) fn witness(&self) -> &ShopWitness {
        &self.witness
    }

    fn is_faulty(&self) -> bool {
        match self.variant {
            Variant::RollbackDoesNotHelp => true,
            Variant::HealsOnRollback | Variant::AlreadyHealthy | Variant::AdminFailing => self.releases.is_faulty(),
        }
    }

    fn act(&mut self, request: &ShopRequest<'_>) -> ShopAnswer {
        match request.endpoint {
            ShopEndpoint::Release => self.deploy(request),
            ShopEndpoint::Rollback => self.roll_back(request),
            ShopEndpoint::Restart => self.restart(request),
            ShopEndpoint::Oncall => self.take_oncall(request),
        }
    }

    fn deploy(&mut self, request: &ShopRequest<'_>) -> ShopAnswer {
        let body = match object(request.body) {
            Ok(body) => body,
            Err(refusal) => return refusal,
        };
        let version = body.get("version").and_then(Value::as_str);
        let Some(version) = version.filter(|version| (1..=VERSION_MAX).contains(&version.trim().len())) else {
            return ShopAnswer::refusal(
                StatusCode::BAD_REQUEST,
                "the body names no version: send {\"version\": \"2.4.1\"}, at most 64 bytes of it",
            );
        };
        self.witness.releases += 1;
        let change = self.releases.deploy(version.trim().to_owned(), request.at);
        ShopAnswer::new(StatusCode::OK, json!(change))
    }

    fn roll_back(&mut self, request: &ShopRequest<'_>) -> ShopAnswer {
        if let Err(refusal) = object(request.body) {
            return refusal;
        }
        let Some(change) = self.releases.roll_back() else {
            return ShopAnswer::refusal(
                StatusCode::CONFLICT,
                "no earlier release to go back to: see GET /admin/releases",
            );
        };
        self.witness.rollbacks += 1;
        ShopAnswer::new(StatusCode::OK, json!(change))
    }

    fn restart(&mut self, request: &ShopRequest<'_>) -> ShopAnswer {
        if let Err(refusal) = object(request.body) {
            return refusal;
        }
        self.witness.restarts += 1;
        let body = json!({"restarted": true, "version": self.releases.live()});
        ShopAnswer::new(StatusCode::OK, body)
    }

    fn take_oncall(&mut self, request: &ShopRequest<'_>) -> ShopAnswer {
        let body =
            serde_json::from_slice(request.body).unwrap_or_else(|_| String::from_utf8_lossy(request.body).into());
        self.witness.took_oncall(body);
        let body = json!({"accepted": true, "number": self.witness.oncall});
        ShopAnswer::new(StatusCode::ACCEPTED, body)
    }

    fn count_arrival(&mut self, endpoint: ShopEndpoint) {
        match endpoint {
            ShopEndpoint::Release => self.witness.release_requests += 1,
            ShopEndpoint::Rollback => self.witness.rollback_requests += 1,
            ShopEndpoint::Restart => self.witness.restart_requests += 1,
            // Every on-call message is either taken or a repeat, and both are counted.
            ShopEndpoint::Oncall => {}
        }
    }

    fn count_repeat(&mut self, endpoint: ShopEndpoint) {
        match endpoint {
            ShopEndpoint::Release => self.witness.release_repeats += 1,
            ShopEndpoint::Rollback => self.witness.rollback_repeats += 1,
            ShopEndpoint::Restart => self.witness.restart_repeats += 1,
            ShopEndpoint::Oncall => self.witness.oncall_repeats += 1,
        }
    }
}

/// The body as an object; an absent body is an empty one.
fn object(body: &[u8]) -> Result<serde_json::Map<String, Value>, ShopAnswer> {
    if body.is_empty() {
        return Ok(serde_json::Map::new());
    }
    serde_json::from_slice(body).map_err(|error| {
        let reason = format!("the body must be a JSON object or empty ({error})");
        ShopAnswer::refusal(StatusCode::BAD_REQUEST, &reason)
    })
}

#[cfg(test)]
mod tests;
