//! Whether a caller may still look, asked again as long as an answer goes on: a token that was revoked or expired, or a login that was
//! ended, ends its streams too.

use std::time::Duration;

use axum::http::{HeaderMap, Method, StatusCode};
use provost_domain::access::Permission;
use tokio::time::{Instant, sleep_until};

use crate::guard::still_admitted;
use crate::problem::Problem;
use crate::state::Server;

/// How often: a read of one row for each open stream.
const EVERY: Duration = Duration::from_secs(5);

/// The caller of an answer that has no end.
#[derive(Debug)]
pub(crate) struct Standing {
    server: Server,
    /// What let the caller in.
    headers: HeaderMap,
    due: Instant,
}

impl Standing {
    /// Of a caller who was let in just now.
    pub(crate) fn begin(server: &Server, headers: &HeaderMap) -> Self {
        Self { server: server.clone(), headers: headers.clone(), due: Instant::now() + EVERY }
    }

    /// When it has to be checked next.
    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    /// Asks again where it is due.
    ///
    /// # Errors
    /// The caller may no longer look. A store that does not answer says nothing about that.
    pub(crate) async fn check(&mut self) -> Result<(), Problem> {
        if Instant::now() < self.due {
            return Ok(());
        }
        let admitted = still_admitted(&self.server, Permission::Look, &Method::GET, &self.headers).await;
        self.due = Instant::now() + EVERY;
        match admitted {
            Err(problem) if [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&problem.status()) => {
                Err(problem)
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Waits until the caller may no longer look; why.
    pub(crate) async fn lost(mut self) -> Problem {
        loop {
            sleep_until(self.due).await;
            if let Err(problem) = self.check().await {
                return problem;
            }
        }
    }
}
