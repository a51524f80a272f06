//! The times of a pack's schedules. Their deliveries are this program's own, and they hold the fields of the case.

use provost_domain::ids::Digest;
use provost_domain::pack::{CaseSchedule, ScheduledTime};
use provost_expr::{FillError, Scope, Type};
use serde_json::{Map, Value, json};

use super::super::loose::text;
use super::super::reading::{AlertChange, BadDelivery, FormatReading, ReadAlert, Repetition};
use super::object::object;

const FORM: &str = "a schedule's time";

/// The names that the mapping reads.
pub(super) fn scope() -> Scope {
    Scope::default().with("schedule", Type::Any)
}

/// The body of the delivery for one time of a schedule.
///
/// # Errors
/// A hole in its fields has no value.
pub(in super::super) fn firing(schedule: &CaseSchedule, time: ScheduledTime) -> Result<Vec<u8>, FillError> {
    let fields = schedule.fields_at(time)?;
    let ScheduledTime { at, missed, late } = time;
    let calendar = schedule.calendar.to_string();
    let body = json!({"calendar": calendar, "at": at.to_string(), "missed": missed, "late": late, "fields": fields});
    Ok(body.to_string().into_bytes())
}

/// Reads one. Each time is a case of its own.
pub(super) fn read(body: &[u8]) -> Result<FormatReading, BadDelivery> {
    let sent = object(body, FORM)?;
    let part = |name: &str| text(sent.get(name)).unwrap_or_default();
    let (calendar, at, missed, late) = (part("calendar"), part("at"), part("missed"), part("late"));
    let mark = Digest::of_json(&json!([calendar, at, sent.get("fields")])).hex();
    let mut brief = json!({"name": "schedule", "calendar": calendar, "at": at});
    if let Some(brief) = brief.as_object_mut().filter(|_| missed != "0" || late == "true") {
        brief.extend([("missed".to_owned(), missed.into()), ("late".to_owned(), late.into())]);
    }
    let group = Some(Digest::of_parts(&[b"schedule", mark.as_bytes()]));
    let payload = [("schedule".to_owned(), Value::Object(sent))].into_iter().collect();
    let alerts = vec![Ok(ReadAlert { mark, change: AlertChange::Firing, payload: Some(payload), brief })];
    let repetition = Repetition::SameEvent;
    Ok(FormatReading { group, common: Map::new(), alerts, repetition, key: String::new() })
}
