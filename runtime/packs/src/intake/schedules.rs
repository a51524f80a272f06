//! The times at which a pack opens cases of its own.

use provost_domain::calendar::Calendar;
use provost_domain::pack::{CaseSchedule, Pack};
use provost_expr::TemplateTree;
use provost_form::{At, ErrorLog, Names, YamlNode, nearest, table};
use serde_json::{Map, Value};

/// Most schedules of one pack: a person has to know when it works.
const SCHEDULES_MAX: usize = 32;

table! {
    /// A schedule as written.
    #[derive(Debug)]
    pub(crate) struct RawSchedule {
        pub(crate) cron: At<String>,
        pub(crate) zone: At<String> = At { value: "UTC".to_owned(), ..At::blank() },
        pub(crate) fields: Names<YamlNode>,
    }
}

/// Reads schedules, with every mistake in the log.
pub(super) fn read(raw: &[RawSchedule], pack: Option<&Pack>, log: &mut ErrorLog) -> Vec<CaseSchedule> {
    if let Some(first) = raw.get(SCHEDULES_MAX) {
        let message = format!("the pack has {} schedules, over the limit of {SCHEDULES_MAX}", raw.len());
        log.report(first.cron.place, message, "write fewer, with more times in each");
    }
    raw.iter().filter_map(|schedule| one(schedule, pack, log)).collect()
}

fn one(raw: &RawSchedule, pack: Option<&Pack>, log: &mut ErrorLog) -> Option<CaseSchedule> {
    let fields = fields(raw, pack, log);
    // What stands in for a text that could not be read was reported.
    if raw.cron.is_blank() {
        return None;
    }
    let calendar = Calendar::parse(&raw.cron, &raw.zone).map_err(|error| {
        log.report(raw.cron.place, error.to_string(), error.hint());
    });
    Some(CaseSchedule { calendar: calendar.ok()?, fields: fields? })
}

fn fields(raw: &RawSchedule, pack: Option<&Pack>, log: &mut ErrorLog) -> Option<TemplateTree> {
    let mut fields = Map::new();
    for (name, node) in raw.fields.iter() {
        if let Some(pack) = pack.filter(|pack| !pack.fields.declares(name)) {
            let hint = nearest(name, pack.fields.names());
            log.report(name.place, format!("the session has no field `{}`", name.value), hint);
        }
        fields.insert(name.value.clone(), node.value());
    }
    let parsed = TemplateTree::parse(&Value::Object(fields), &|_| None);
    let checked = parsed.and_then(|tree| tree.check(&CaseSchedule::scope()).map(|()| tree));
    match checked {
        Ok(tree) => Some(tree),
        Err(errors) => {
            for error in errors {
                let named = error.pointer.trim_start_matches('/').split('/').next().unwrap_or_default();
                let place = raw.fields.iter().find(|(name, _)| name.value == named).map(|(_, node)| node.place);
                log.report(place.unwrap_or(raw.cron.place), error.error.message, error.error.hint);
            }
            None
        }
    }
}
