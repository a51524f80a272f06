//! What came of a scenario against what was expected: the first difference, in the order outcome, calls, conditions, events.

use provost_domain::event::{Event, EventBody};
use provost_domain::names::CaseNames;
use provost_domain::session::Session;
use provost_expr::Judgement;
use provost_form::FormError;

use crate::scenario::Scenario;

/// The first difference; `None` where there is none.
pub(crate) fn difference(scenario: &Scenario, session: &Session, events: &[Event]) -> Option<FormError> {
    outcome(scenario, session)
        .or_else(|| calls(scenario, events))
        .or_else(|| that(scenario, session))
        .or_else(|| kinds(scenario, events))
}

fn outcome(scenario: &Scenario, session: &Session) -> Option<FormError> {
    let (wanted, found) = (&scenario.outcome, session.status().as_str());
    if wanted.value == found {
        return None;
    }
    let reason = session.status_reason();
    let why = if reason.is_empty() { String::new() } else { format!(" ({reason})") };
    let message = format!("the session ended as `{found}`{why}, and not as `{}`", wanted.value);
    let hint = "read the story below: the first step that surprises you is the one to look at";
    Some(FormError::at(&scenario.file, wanted.place, message, hint))
}

fn calls(scenario: &Scenario, events: &[Event]) -> Option<FormError> {
    scenario.calls.iter().find_map(|(tool, wanted)| {
        let is_call =
            |event: &&Event| matches!(&event.body, EventBody::ToolIntended(e) if e.tool.as_str() == tool.as_str());
        let found = events.iter().filter(is_call).count();
        let differs = u32::try_from(found).ok() != Some(*wanted);
        let message = format!("`{}` was called {found} time(s), and not {wanted}", tool.value);
        differs.then(|| {
            FormError::at(&scenario.file, tool.place, message, "look at the rules, routes and gates that lead to it")
        })
    })
}

fn that(scenario: &Scenario, session: &Session) -> Option<FormError> {
    let names = CaseNames::new(session, session.updated_at());
    scenario.that.iter().find_map(|condition| {
        let message = match names.judge(&condition.value) {
            Judgement::True => return None,
            Judgement::False => format!("`{}` does not hold at the end", condition.value),
            Judgement::CannotTell(why) => format!("`{}` cannot be told at the end: {why}", condition.value),
        };
        Some(FormError::at(
            &scenario.file,
            condition.place,
            message,
            "look at the reports and fields in the story below",
        ))
    })
}

fn kinds(scenario: &Scenario, events: &[Event]) -> Option<FormError> {
    let mut left = events.iter().map(|event| event.body.kind());
    let missing = scenario.events.iter().find(|wanted| !left.any(|kind| kind == wanted.as_str()))?;
    let anywhere = events.iter().any(|event| event.body.kind() == missing.as_str());
    let message = if anywhere {
        format!("`{}` happens, but not after the events that stand before it", missing.value)
    } else {
        format!("`{}` never happens", missing.value)
    };
    Some(FormError::at(
        &scenario.file,
        missing.place,
        message,
        "the events must happen in this order; others may stand between",
    ))
}
