//! Carries a plan out. Every part of it that was done before stays as it is.

use provost_domain::command::{Ask, Command};
use provost_domain::fields::CheckedFields;
use provost_domain::ids::{CmdId, SessionId};
use provost_domain::pack::OutcomeKind;
use provost_domain::port::{Finished, StoreError};
use provost_domain::principal::Principal;
use provost_domain::projection::SessionRow;
use provost_domain::status::Status;
use provost_engine::{Case, EngineError};

use super::burning::CaseStanding;
use super::draft::GroupSession;
use super::fit::fitted;
use super::formats::DeliveryFormat;
use super::planned::{DeliveryPlan, PlannedRetry, PlannedSession, PlannedSignal, PlannedStop};
use super::queue::DeliveryQueue;

/// How the sessions fare that are to be opened.
#[derive(Debug, Default)]
struct Openings {
    opened: usize,
    /// Why the pack does not take the first that it does not take.
    refused: Option<String>,
}

/// Performs a plan; one that an earlier try stored may have been carried out in part.
pub(super) async fn perform(
    queue: &DeliveryQueue,
    format: DeliveryFormat,
    plan: DeliveryPlan,
) -> Result<Finished, EngineError> {
    let DeliveryPlan { by, open, stops, opens, signals, retries, alarms, session, marks, note, upto: _, about: _ } =
        plan;
    for stop in stops {
        supersede(queue, &by, stop).await?;
    }
    let mut openings = Openings::default();
    for open in open.into_iter().chain(opens) {
        match open_session(queue, format, &by, open).await? {
            Ok(()) => openings.opened += 1,
            Err(reason) => openings.refused = openings.refused.or(Some(reason)),
        }
    }
    if let Some(reason) = openings.refused {
        if openings.opened == 0 {
            return Ok(Finished::Bad { reason });
        }
        tracing::error!(reason, "the pack does not take every case of a delivery");
    }
    for signal in signals {
        let to = signal.session;
        match send(queue, format, &by, signal).await {
            // Nothing reaches it any more: a delivery that was only for it is bad, and nobody waits behind it.
            Err(EngineError::Store(error @ StoreError::Damaged { .. }))
                if openings.opened == 0 && Some(to) == session =>
            {
                return Ok(Finished::Bad { reason: format!("session {to} cannot be told: {error}") });
            }
            Err(EngineError::Store(error @ StoreError::Damaged { .. })) => {
                tracing::warn!(session = %to, %error, "a session took no news of its group");
            }
            sent => sent?,
        }
    }
    for retry in retries {
        try_again(queue, &by, retry).await?;
    }
    for session in alarms {
        queue.unattended.inc();
        tracing::error!(%session, "alerts of a session fire on and nobody works on it; look at the session and try it again");
    }
    Ok(Finished::Done { session, marks, note })
}

/// Opens a session, unless it is there already. The inner error says why the pack does not take it.
async fn open_session(
    queue: &DeliveryQueue,
    format: DeliveryFormat,
    by: &Principal,
    open: PlannedSession,
) -> Result<Result<(), String>, EngineError> {
    let PlannedSession { session, pack, title, fields, origin, parent, partial } = open;
    match queue.parts.engine.reads().session(session).await {
        Ok(_) | Err(StoreError::Damaged { .. }) => return Ok(Ok(())),
        Err(StoreError::Missing { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let name = pack.unwrap_or_else(|| queue.first_pack(format));
    let checked = queue.parts.engine.pack(&name).and_then(|pack| {
        if partial {
            Ok(CheckedFields::partial(&pack, fitted(&pack.fields, &pack.rosters, fields))?)
        } else {
            Ok(CheckedFields::new(&pack, fields)?)
        }
    });
    // A pack that says its own title says it from the fields; of a session about many targets they are missing.
    let says_title = !partial && queue.parts.engine.pack(&name).is_ok_and(|pack| pack.title.is_some());
    let title = if says_title { String::new() } else { title };
    let case = |fields| Case { id: session, pack: name, fields, title, by: by.clone(), parent, origin, start: true };
    let opened = match checked {
        Ok(fields) => queue.parts.engine.open_checked(case(fields)).await,
        Err(error) => Err(error),
    };
    match opened {
        Ok(opened) => {
            tracing::info!(session = %opened.id, handle = %opened.handle, "a delivery opened a session");
            Ok(Ok(()))
        }
        Err(error @ (EngineError::UnknownPack { .. } | EngineError::InvalidFields(_))) => Ok(Err(error.to_string())),
        Err(error) => Err(error),
    }
}

/// Records a signal on a session. A session that takes none any more does not hold its group up.
async fn send(
    queue: &DeliveryQueue,
    format: DeliveryFormat,
    by: &Principal,
    signal: PlannedSignal,
) -> Result<(), EngineError> {
    let PlannedSignal { session, cmd_id, payload } = signal;
    let ask = Ask::Signal { source: format.as_str().to_owned(), payload };
    match command(queue, by, session, &cmd_id, ask).await {
        // Stored is enough: whoever carries the session next applies it.
        Ok(()) | Err(EngineError::Pending) => Ok(()),
        Err(EngineError::Store(error @ StoreError::Erased { .. })) => {
            tracing::warn!(%session, %error, "a session took no news of its group");
            Ok(())
        }
        Err(EngineError::Refused(refusal)) => {
            tracing::warn!(%session, %refusal, "a session took no news of its group");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Stops a session whose place another one of its case takes. One that ended meanwhile, or that is not the sender's to stop,
/// is left alone.
async fn supersede(queue: &DeliveryQueue, by: &Principal, stop: PlannedStop) -> Result<(), EngineError> {
    let PlannedStop { session, cmd_id, reason } = stop;
    match command(queue, by, session, &cmd_id, Ask::Stop { reason }).await {
        // Stored is enough: whoever carries the session next applies it.
        Ok(()) | Err(EngineError::Pending) => tracing::info!(%session, "a session was superseded"),
        Err(EngineError::Refused(refusal)) => tracing::warn!(%session, %refusal, "a session cannot be superseded"),
        Err(EngineError::Store(error @ (StoreError::Erased { .. } | StoreError::Damaged { .. }))) => {
            tracing::warn!(%session, %error, "a session cannot be superseded");
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

/// Has a session tried again. One that is at work meanwhile, or that nobody but a person can go on with, is left alone.
async fn try_again(queue: &DeliveryQueue, by: &Principal, retry: PlannedRetry) -> Result<(), EngineError> {
    let PlannedRetry { session, cmd_id } = retry;
    match command(queue, by, session, &cmd_id, Ask::Retry { force: true }).await {
        Ok(()) => tracing::info!(%session, "a session is tried again, since its alerts fire on"),
        Err(error @ (EngineError::Refused(_) | EngineError::Busy(_))) => {
            queue.unattended.inc();
            tracing::error!(%session, %error, "a session whose alerts fire on cannot be tried again; look at it");
        }
        Err(EngineError::Store(error @ (StoreError::Erased { .. } | StoreError::Damaged { .. }))) => {
            tracing::warn!(%session, %error, "a session whose alerts fire on cannot be tried again");
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

async fn command(
    queue: &DeliveryQueue,
    by: &Principal,
    session: SessionId,
    cmd_id: &CmdId,
    ask: Ask,
) -> Result<(), EngineError> {
    let command = Command { by: by.clone(), if_version: None, ask };
    queue.parts.engine.command(session, cmd_id, command).await.map(drop)
}

/// How a session stands; `None` when there is none of that id, or when it was erased.
pub(super) async fn standing(queue: &DeliveryQueue, session: SessionId) -> Result<Option<GroupSession>, StoreError> {
    match queue.parts.engine.reads().session(session).await {
        Ok(row) if row.erased_at.is_some() => Ok(None),
        Ok(row) => {
            // A session that was found damaged takes nothing more.
            let lost = queue.parts.engine.undamaged(session).is_err();
            let standing = if lost { CaseStanding::Lost } else { standing_of(queue, &row) };
            Ok(Some(GroupSession { session, standing, progress_at: row.progress_at }))
        }
        Err(StoreError::Damaged { detail }) => {
            tracing::warn!(%session, detail, "the row of a group's session cannot be read");
            Ok(Some(GroupSession { session, standing: CaseStanding::Lost, progress_at: queue.parts.clock.now() }))
        }
        Err(StoreError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn standing_of(queue: &DeliveryQueue, row: &SessionRow) -> CaseStanding {
    match &row.status {
        Status::New | Status::InProgress | Status::AwaitingInput => CaseStanding::Live,
        Status::Stopped => CaseStanding::Stopped,
        Status::NeedsReview | Status::Error => CaseStanding::Stuck,
        Status::Outcome(name) => {
            // The pack may have another outcome of that name by now, or none: then the case is taken for closed.
            let pack = queue.parts.engine.pack(&row.pack).ok();
            let kind = pack.and_then(|pack| pack.outcomes.get(name).copied());
            CaseStanding::Reached(kind.unwrap_or(OutcomeKind::Neutral))
        }
    }
}
