//! The looks at sessions: at what came, and at what time has come for.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use prometheus::{IntCounterVec, Opts, Registry};
use provost_domain::attention::{AttentionNotice, AttentionPlan, Look, Tell, Watchlist, plan};
use provost_domain::ids::{SessionId, ToolName};
use provost_domain::port::{AttentionLog, Clock, LookAnswer, NewMessage, SessionLook, StoreError, WatchedSession};
use provost_domain::session::Session;
use provost_domain::status::Status;
use provost_domain::time::Timestamp;
use provost_engine::{Backoff, Engine, LogReader, Next, ReadError, TickFailure, Ticker, TickerSettings};
use tokio::sync::Notify;
use tokio::sync::broadcast::error::RecvError;

use super::compose::{NoticeSubject, compose};
use super::settings::AttentionSettings;
use crate::outbound::Outgoing;

/// Sessions of one tick.
const TOGETHER: u32 = 32;
/// The pause between looks where nobody says that something came: people are told within two seconds.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long one tick may take.
const LOOK_MAX: Duration = Duration::from_mins(1);
/// The pause after the store failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// When a session is looked at again whose log cannot be read.
const UNREADABLE: Duration = Duration::from_hours(1);

/// What the looks stand on.
#[derive(Debug)]
pub struct AttentionParts {
    /// The engine whose sessions are looked at.
    pub engine: Engine,
    /// Where it is kept what was told.
    pub log: Arc<dyn AttentionLog>,
    /// What sends the messages that a look stored.
    pub outgoing: Outgoing,
    /// Says what time it is: rules have hours.
    pub clock: Arc<dyn Clock>,
    /// Where its figures are registered.
    pub metrics: Registry,
}

/// Tells people what sessions need of them. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Attention(Arc<AttentionWatch>);

#[derive(Debug)]
struct AttentionWatch {
    parts: AttentionParts,
    settings: RwLock<Arc<AttentionSettings>>,
    came: Arc<Notify>,
    told: IntCounterVec,
}

impl Attention {
    /// One that does not look yet.
    ///
    /// # Errors
    /// Its figures cannot be registered.
    pub fn new(parts: AttentionParts, settings: AttentionSettings) -> prometheus::Result<Self> {
        let told = Opts::new("provost_attention_messages_total", "Messages to people about what sessions need.");
        let told = IntCounterVec::new(told, &["step"])?;
        parts.metrics.register(Box::new(told.clone()))?;
        Ok(Self(Arc::new(AttentionWatch {
            parts,
            settings: RwLock::new(Arc::new(settings)),
            came: Arc::default(),
            told,
        })))
    }

    /// Tells by these from now on.
    pub fn tell_by(&self, settings: AttentionSettings) {
        *self.0.settings.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
        self.0.came.notify_one();
    }

    /// Begins to look: at once at what a dead process left, and until the engine stops.
    pub fn start(&self) {
        let engine = &self.0.parts.engine;
        let (mut hints, came) = (engine.hints(), Arc::clone(&self.0.came));
        drop(engine.tasks().spawn_until_stopped("attention", async move {
            loop {
                match hints.recv().await {
                    // Work that goes on needs nobody; what else may matter is found at the next look.
                    Ok(hint) if hint.status == Some(Status::InProgress) => {}
                    Ok(_) | Err(RecvError::Lagged(_)) => came.notify_one(),
                    Err(RecvError::Closed) => return,
                }
            }
        }));
        // It goes on until the engine stops.
        drop(engine.start_ticker(AttentionTicker(Arc::clone(&self.0))));
    }
}

#[derive(Debug)]
struct AttentionTicker(Arc<AttentionWatch>);

#[async_trait]
impl Ticker for AttentionTicker {
    fn settings(&self) -> TickerSettings {
        TickerSettings {
            name: "attention",
            first: Duration::ZERO,
            period: LOOK_EVERY,
            jitter: 0.0,
            limit: LOOK_MAX,
            backoff: Backoff::doubling(STORE_PAUSE, LOOK_MAX),
        }
    }

    fn wake(&self) -> Option<Arc<Notify>> {
        Some(Arc::clone(&self.0.came))
    }

    async fn tick(&mut self) -> Result<Next, TickFailure> {
        let watch = &self.0;
        let due = watch.parts.log.due(watch.parts.clock.now(), TOGETHER).await?;
        let more = due.len() >= TOGETHER as usize;
        let mut outdated = false;
        let mut failed = None;
        for watched in due {
            match watch.look(watched).await {
                Ok(answer) => outdated |= answer == LookAnswer::Outdated,
                // The others' people do not wait for that.
                Err(error) => failed = Some(error),
            }
        }
        if let Some(error) = failed {
            return Err(error.into());
        }
        // What is outdated is another process's: it is not asked for again at once.
        Ok(if more && !outdated { Next::AtOnce } else { Next::Period })
    }
}

impl AttentionWatch {
    async fn look(&self, watched: WatchedSession) -> Result<LookAnswer, StoreError> {
        let now = self.parts.clock.now();
        let settings = Arc::clone(&self.settings.read().unwrap_or_else(PoisonError::into_inner));
        let look = match self.read(watched.session).await {
            Ok(Some(session)) => self.decide(&watched, &session, &settings, now).await?,
            Ok(None) => return Ok(LookAnswer::Outdated),
            Err(ReadError::Store(error)) if passes(&error) => return Err(error),
            Err(error) => {
                tracing::error!(session = %watched.session, %error, "people are not told of a session that cannot be read");
                let WatchedSession { session, news, version, state } = watched;
                let state = state.unwrap_or_else(|| "null".to_owned());
                SessionLook { session, version, news, state, next_at: Some(now.plus(UNREADABLE)), messages: Vec::new() }
            }
        };
        let sends = !look.messages.is_empty();
        let answer = self.parts.log.looked(look).await?;
        if sends && answer == LookAnswer::Stored {
            self.parts.outgoing.wake();
        }
        Ok(answer)
    }

    async fn read(&self, id: SessionId) -> Result<Option<Session>, ReadError> {
        let reads = &**self.parts.engine.reads();
        let mut log = LogReader::from_snapshot(reads, id).await?;
        log.to_end(reads).await?;
        Ok(log.into_session())
    }

    /// What follows of the session as it stands.
    async fn decide(
        &self,
        watched: &WatchedSession,
        session: &Session,
        settings: &AttentionSettings,
        now: Timestamp,
    ) -> Result<SessionLook, StoreError> {
        let needs = session.needs(settings.rules.patience);
        let acknowledged = session.acknowledgement().map(|one| (one.seq, one.at));
        let look = Look { pack: session.pack(), fields: session.fields(), needs: &needs, acknowledged, now };
        let AttentionPlan { watchlist, tells, next_at } = plan(before(watched), &look, &settings.rules);
        let state = serde_json::to_string(&watchlist).map_err(|error| unwritable(&error))?;
        let messages = if tells.is_empty() {
            Vec::new()
        } else {
            let row = self.parts.engine.reads().session(session.id()).await?;
            let (catalog, page) = (self.parts.engine.catalog(), settings.page.as_deref());
            let subject = NoticeSubject { row: &row, session, catalog: &catalog, page, now };
            self.messages(&subject, by_target(&tells, settings), settings, watchlist.messages)?
        };
        let WatchedSession { session, version, news, .. } = *watched;
        Ok(SessionLook { session, version, news, state, next_at, messages })
    }

    fn messages(
        &self,
        subject: &NoticeSubject<'_>,
        targets: BTreeMap<&ToolName, (&str, &Tell)>,
        settings: &AttentionSettings,
        number: u64,
    ) -> Result<Vec<NewMessage>, StoreError> {
        let session = subject.session.id();
        let message = |(index, (target, (contact, tell))): (usize, (&ToolName, (&str, &Tell)))| {
            let role = settings.contacts.get(contact).map_or("operator", |targets| targets.role.as_str());
            let notice: AttentionNotice = compose(subject, tell.step, contact, role);
            let step = tell.step.as_str();
            self.told.with_label_values(&[step]).inc();
            tracing::info!(%session, contact, %target, step, "a person is told");
            let key = format!("{session}.{step}.{number}.{index}.{}", key_word(contact));
            let call = notice.call(target.clone(), key).map_err(|error| unwritable(&error))?;
            Ok(NewMessage { call, at: subject.now })
        };
        targets.into_iter().enumerate().map(message).collect()
    }
}

/// What was told before.
fn before(watched: &WatchedSession) -> Watchlist {
    let Some(state) = watched.state.as_deref().filter(|state| *state != "null") else {
        return Watchlist::default();
    };
    serde_json::from_str(state).unwrap_or_else(|error| {
        // Told twice is better than not at all.
        tracing::warn!(session = %watched.session, %error, "what people were told is not readable; it begins anew");
        Watchlist::default()
    })
}

/// Each target once, for the most pressing reason: several contacts may be reached by one.
fn by_target<'a>(
    tells: &'a BTreeMap<String, Tell>,
    settings: &'a AttentionSettings,
) -> BTreeMap<&'a ToolName, (&'a str, &'a Tell)> {
    let mut targets: BTreeMap<&ToolName, (&str, &Tell)> = BTreeMap::new();
    for (contact, tell) in tells {
        // A contact that a reload took away is reached by nothing.
        for target in settings.contacts.get(contact).into_iter().flat_map(|targets| &targets.send) {
            let first = targets.entry(target).or_insert((contact, tell));
            if tell.step > first.1.step {
                *first = (contact, tell);
            }
        }
    }
    targets
}

/// Whether the store may answer another time.
fn passes(error: &StoreError) -> bool {
    match error {
        StoreError::Failed { .. } | StoreError::Held { .. } | StoreError::Fenced | StoreError::Stale => true,
        StoreError::NotClaimed { .. }
        | StoreError::Erased { .. }
        | StoreError::Missing { .. }
        | StoreError::Damaged { .. } => false,
    }
}

/// A contact's name as a header may hold it.
fn key_word(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).take(40).collect()
}

fn unwritable(error: &serde_json::Error) -> StoreError {
    StoreError::Failed {
        detail: format!("what people are told cannot be written as JSON ({error}); report this as a bug"),
    }
}
