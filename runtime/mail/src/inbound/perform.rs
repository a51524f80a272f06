//! Carries a plan out. Every part of it that was done before stays as it is.

use provost_domain::command::{Ask, Command};
use provost_domain::fields::CheckedFields;
use provost_domain::ids::SessionId;
use provost_domain::port::{Finished, StoreError};
use provost_domain::principal::Principal;
use provost_engine::{Case, EngineError};

use super::draft::{GroupSession, PlannedSession};
use super::formats::DeliveryFormat;
use super::plan::{DeliveryPlan, PlannedSignal};
use super::queue::DeliveryQueue;

/// How a session that is to be opened fares.
enum OpeningOutcome {
    Opened,
    /// The pack does not take it; with the reason.
    Refused(String),
}

/// Performs a plan that an earlier try stored: its session may be open already, and its fields are checked again.
pub(super) async fn perform_stored(
    queue: &DeliveryQueue,
    format: DeliveryFormat,
    plan: DeliveryPlan,
) -> Result<Finished, EngineError> {
    let DeliveryPlan { upto, by, open, signals, session, marks, about, note } = plan;
    let open = match open {
        Some(PlannedSession { session, title, fields, parent }) if standing(queue, session).await?.is_none() => {
            let checked = queue.pack(format).and_then(|pack| Ok(CheckedFields::new(&pack, fields)?));
            match checked {
                Ok(fields) => Some(PlannedSession { session, title, fields, parent }),
                Err(error) => return Ok(Finished::Bad { reason: error.to_string() }),
            }
        }
        Some(_) | None => None,
    };
    perform(queue, format, DeliveryPlan { upto, by, open, signals, session, marks, about, note }).await
}

/// Performs a plan.
pub(super) async fn perform(
    queue: &DeliveryQueue,
    format: DeliveryFormat,
    plan: DeliveryPlan<CheckedFields>,
) -> Result<Finished, EngineError> {
    let DeliveryPlan { by, open, signals, session, marks, note, upto: _, about: _ } = plan;
    let opens = open.is_some();
    if let Some(open) = open
        && let OpeningOutcome::Refused(reason) = open_session(queue, format, &by, open).await?
    {
        return Ok(Finished::Bad { reason });
    }
    for signal in signals {
        let to = signal.session;
        match send(queue, format, &by, signal).await {
            // Nothing reaches it any more: a delivery that was only for it is bad, and nobody waits behind it.
            Err(EngineError::Store(error @ StoreError::Damaged { .. })) if !opens && Some(to) == session => {
                return Ok(Finished::Bad { reason: format!("session {to} cannot be told: {error}") });
            }
            Err(EngineError::Store(error @ StoreError::Damaged { .. })) => {
                tracing::warn!(session = %to, %error, "a session took no news of its group");
            }
            sent => sent?,
        }
    }
    Ok(Finished::Done { session, marks, note })
}

async fn open_session(
    queue: &DeliveryQueue,
    format: DeliveryFormat,
    by: &Principal,
    open: PlannedSession<CheckedFields>,
) -> Result<OpeningOutcome, EngineError> {
    let PlannedSession { session, title, fields, parent } = open;
    let pack = queue.pack_name(format);
    let case = Case { id: session, pack, fields, title, by: by.clone(), parent, start: true };
    match queue.parts.engine.open_checked(case).await {
        Ok(opened) => {
            tracing::info!(session = %opened.id, handle = %opened.handle, "a delivery opened a session");
            Ok(OpeningOutcome::Opened)
        }
        Err(error @ (EngineError::UnknownPack { .. } | EngineError::InvalidFields(_))) => {
            Ok(OpeningOutcome::Refused(error.to_string()))
        }
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
    let command = Command { by: by.clone(), if_version: None, ask };
    match queue.parts.engine.command(session, &cmd_id, command).await {
        // Stored is enough: whoever carries the session next applies it.
        Ok(_) | Err(EngineError::Pending) => Ok(()),
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

/// How a session stands; `None` when there is none of that id.
pub(super) async fn standing(queue: &DeliveryQueue, session: SessionId) -> Result<Option<GroupSession>, StoreError> {
    match queue.parts.engine.reads().session(session).await {
        Ok(row) => {
            // A session that was found damaged takes nothing more: what fires anew opens another one.
            let ended = row.ended || queue.parts.engine.undamaged(session).is_err();
            Ok(Some(GroupSession { session, ended, erased: row.erased_at.is_some() }))
        }
        Err(StoreError::Damaged { detail }) => {
            tracing::warn!(%session, detail, "the row of a group's session cannot be read");
            Ok(Some(GroupSession { session, ended: true, erased: false }))
        }
        Err(StoreError::Missing { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
