//! What handlers need of the server: the engine, who is let in, live events, mail, figures. It knows no handler.

use provost_face::{DeliveryOperations, Lookups, Operations, OutboxOperations, TokenOperations};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use prometheus::Registry;
use provost_domain::port::{Clock, PageSessions, Requests, Tokens};
use provost_engine::{Engine, Eraser};
use provost_mail::{Intake, Outgoing};
use tokio_util::task::TaskTracker;

use crate::access::{Access, RequestRate};
use crate::attempts::WrongLogins;
use crate::bodies::BodyBudget;
use crate::connections::{ConnectionLimits, Connections};
use crate::cookie::Logins;
use crate::feed::Feed;
use crate::idempotency::Running;
use crate::meters::Meters;

/// What a server stands on.
#[derive(Debug)]
pub struct Parts {
    /// The engine.
    pub engine: Engine,
    /// The tokens that let callers in.
    pub tokens: Arc<dyn Tokens>,
    /// Requests by their idempotency keys.
    pub requests: Arc<dyn Requests>,
    /// The present.
    pub clock: Arc<dyn Clock>,
    /// What takes deliveries.
    pub intake: Intake,
    /// What sends messages to the outside.
    pub outgoing: Outgoing,
    /// What erases sessions.
    pub eraser: Eraser,
    /// The figures of every part of the process.
    pub metrics: Registry,
    /// The folder the store lies in, whose free space readiness looks at.
    pub data: PathBuf,
    /// People's logins at the page.
    pub page_sessions: Arc<dyn PageSessions>,
    /// How many requests each token may send.
    pub rate: RequestRate,
}

#[derive(Debug)]
struct Inner {
    engine: Engine,
    access: Access,
    logins: Logins,
    wrong_logins: WrongLogins,
    feed: Feed,
    connections: Connections,
    strangers: BodyBudget,
    senders: BodyBudget,
    operations: Operations,
    tokens: TokenOperations,
    deliveries: DeliveryOperations,
    outbox: OutboxOperations,
    /// One token each, as long as it is open.
    sockets: TaskTracker,
    intake: Intake,
    outgoing: Outgoing,
    requests: Arc<dyn Requests>,
    running: Running,
    meters: Meters,
    data: PathBuf,
}

/// The HTTP face of one engine: what its handlers share. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Server(Arc<Inner>);

impl Server {
    /// A server over its parts. Must be called within a tokio runtime: it starts following the engine at once.
    ///
    /// # Errors
    /// Its figures cannot be kept.
    pub fn new(parts: Parts) -> prometheus::Result<Self> {
        let Parts { engine, tokens, requests, clock, intake, outgoing, eraser, metrics, data, page_sessions, rate } =
            parts;
        let meters = Meters::new(metrics, clock.now())?;
        let operations = Operations::new(engine.clone(), eraser);
        let token_operations = TokenOperations::new(Arc::clone(&tokens), Arc::clone(&clock));
        let deliveries = DeliveryOperations::new(Arc::clone(intake.deliveries()), Arc::clone(intake.reads()));
        let outbox = OutboxOperations::new(outgoing.clone());
        let access = Access::new(tokens, clock, rate);
        let logins = Logins::new(page_sessions);
        let connections = Connections::new(ConnectionLimits::of_process());
        let feed = Feed::start(&engine, connections.limits().total);
        let running = Running::default();
        let inner = Inner {
            engine,
            access,
            logins,
            wrong_logins: WrongLogins::default(),
            feed,
            connections,
            strangers: BodyBudget::of_strangers(),
            senders: BodyBudget::of_senders(),
            operations,
            tokens: token_operations,
            deliveries,
            outbox,
            sockets: TaskTracker::new(),
            intake,
            outgoing,
            requests,
            running,
            meters,
            data,
        };
        Ok(Self(Arc::new(inner)))
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    /// What callers may have done.
    pub(crate) fn operations(&self) -> &Operations {
        &self.0.operations
    }

    /// What callers may look up.
    pub(crate) fn lookups(&self) -> &Lookups {
        self.0.operations.lookups()
    }

    /// What admins do with tokens.
    pub(crate) fn tokens(&self) -> &TokenOperations {
        &self.0.tokens
    }

    /// What callers have done with deliveries.
    pub(crate) fn deliveries(&self) -> &DeliveryOperations {
        &self.0.deliveries
    }

    /// What callers have done with messages to the outside.
    pub(crate) fn outbox(&self) -> &OutboxOperations {
        &self.0.outbox
    }

    pub(crate) fn access(&self) -> &Access {
        &self.0.access
    }

    pub(crate) fn logins(&self) -> &Logins {
        &self.0.logins
    }

    pub(crate) fn wrong_logins(&self) -> &WrongLogins {
        &self.0.wrong_logins
    }

    pub(crate) fn feed(&self) -> &Feed {
        &self.0.feed
    }

    pub(crate) fn connections(&self) -> &Connections {
        &self.0.connections
    }

    /// The budget of bodies whose senders nobody knows yet.
    pub(crate) fn strangers(&self) -> &BodyBudget {
        &self.0.strangers
    }

    /// The budget of deliveries whose senders are known.
    pub(crate) fn senders(&self) -> &BodyBudget {
        &self.0.senders
    }

    pub(crate) fn sockets(&self) -> &TaskTracker {
        &self.0.sockets
    }

    pub(crate) fn intake(&self) -> &Intake {
        &self.0.intake
    }

    pub(crate) fn outgoing(&self) -> &Outgoing {
        &self.0.outgoing
    }

    pub(crate) fn requests(&self) -> &dyn Requests {
        &*self.0.requests
    }

    pub(crate) fn running(&self) -> &Running {
        &self.0.running
    }

    pub(crate) fn meters(&self) -> &Meters {
        &self.0.meters
    }

    pub(crate) fn data(&self) -> &Path {
        &self.0.data
    }
}
