//! Cases that a pack opens at times of its own, as data. Who keeps time opens them.

use provost_expr::{FillError, Scope, TemplateTree, Type};
use serde_json::{Value, json};

use super::mapping::IntakeMapping;
use crate::calendar::Calendar;
use crate::time::Timestamp;

/// The key of `intake` under which a pack's schedules stand, and the mapping of what is delivered for them.
pub const SCHEDULES: &str = "schedules";

/// A case that is opened whenever a time comes.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseSchedule {
    /// The times at which it opens a case.
    pub calendar: Calendar,
    /// The fields of the case; texts may have holes that read the time.
    pub fields: TemplateTree,
}

/// One time of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduledTime {
    /// When the case was due.
    pub at: Timestamp,
    /// How many times before it came to no case, since nothing ran.
    pub missed: u64,
    /// Whether its own time was missed as well, and the case is opened late.
    pub late: bool,
}

impl CaseSchedule {
    /// The names that the fields may read.
    pub fn scope() -> Scope {
        let time = [("calendar", Type::Text), ("at", Type::Text), ("missed", Type::Number), ("late", Type::Bool)];
        Scope::default().with("schedule", Type::object(time))
    }

    /// The fields of the case of one time.
    ///
    /// # Errors
    /// A hole has no value.
    pub fn fields_at(&self, time: ScheduledTime) -> Result<Value, FillError> {
        let ScheduledTime { at, missed, late } = time;
        let calendar = self.calendar.to_string();
        self.fields
            .fill(&json!({"schedule": {"calendar": calendar, "at": at.to_string(), "missed": missed, "late": late}}))
    }

    /// How what is delivered for schedules becomes the fields of a case: each is taken as it is.
    pub fn mapping<'a>(fields: impl Iterator<Item = &'a str>) -> IntakeMapping {
        let own = |name: &str| format!("schedule.fields[{}]", json!(name));
        IntakeMapping::of_paths(fields.map(|name| (name, own(name))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_may_say_when_they_were_due() {
        let fields =
            json!({"summary": "check of {{ schedule.at }}", "count": "{{ schedule.missed }}", "service": "shop"});
        let calendar = Calendar::parse("0 6 * * *", "UTC").unwrap();
        let schedule = CaseSchedule { calendar, fields: TemplateTree::parse(&fields, &|_| None).unwrap() };
        schedule.fields.check(&CaseSchedule::scope()).unwrap();
        let time = ScheduledTime { at: Timestamp::from_micros(0), missed: 2, late: false };
        let expect = json!({"summary": "check of 1970-01-01T00:00:00.000000Z", "count": 2.0, "service": "shop"});
        let found = schedule.fields_at(time).unwrap();
        assert_eq!(found["summary"], expect["summary"]);
        assert_eq!((found["count"].as_f64(), &found["service"]), (Some(2.0), &expect["service"]));
    }

    #[test]
    fn every_field_is_taken_as_it_is() {
        let mapping = CaseSchedule::mapping(["summary", "odd-name"].into_iter());
        let sent = json!({"schedule": {"fields": {"summary": "s", "odd-name": 7}}});
        for (name, expect) in [("summary", json!("s")), ("odd-name", json!(7))] {
            let path = mapping.fields[name].from[0].path().unwrap();
            let found = path.names.iter().try_fold(&sent, |here, name| here.get(name));
            assert_eq!(found, Some(&expect), "{name}");
        }
    }
}
