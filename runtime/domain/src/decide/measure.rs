//! Several measures that are taken together: read one by one, judged once all of a poll are read.

use provost_expr::{Expression, Judgement};
use serde_json::{Value, json};

use super::draft::Draft;
use super::polling::{intend, polled};
use crate::event::MeasureRead;
use crate::ids::{AssignmentId, CallId};
use crate::names::CaseNames;
use crate::pack::{MeasureSpec, SeveralWatch, TIME_ARGUMENT};
use crate::time::Timestamp;
use crate::work::{ReadingTime, Watch, Work};

/// The times of readings, by their place among the calls of one measure.
const TIMES: [ReadingTime; 3] = [ReadingTime::Now, ReadingTime::Before, ReadingTime::Baseline];

fn watch<'a>(draft: &'a Draft<'_>, assignment: AssignmentId) -> Option<&'a Watch> {
    draft.session.works().get(&assignment).and_then(Work::watch)
}

/// Intends a poll: each measure as it is now, and as it was where that is not known yet. What cannot be asked for is read as
/// nothing.
pub(super) fn poll(draft: &mut Draft<'_>, assignment: AssignmentId, spec: &SeveralWatch, round: u32) {
    let mut calls = Vec::new();
    for (index, (name, measure)) in spec.measures.iter().enumerate() {
        let known = watch(draft, assignment).and_then(|watch| watch.readings.get(name)).copied().unwrap_or_default();
        for (place, time) in TIMES.into_iter().enumerate() {
            if time != ReadingTime::Now && (known.at(time).is_some() || !is_read(measure, time)) {
                continue;
            }
            let id = CallId::at(assignment, round, index * TIMES.len() + place);
            match arguments(draft, measure, time) {
                Some(args) => calls.push((id, measure, args)),
                None => draft.push(MeasureRead { assignment, measure: name.clone(), time, value: None }),
            }
        }
    }
    if calls.is_empty() {
        return judge(draft, assignment, spec);
    }
    for (id, measure, args) in calls {
        if !intend(draft, assignment, id, &measure.tool, &args) {
            return;
        }
    }
}

fn is_read(measure: &MeasureSpec, time: ReadingTime) -> bool {
    match time {
        ReadingTime::Now => true,
        ReadingTime::Before => measure.before,
        ReadingTime::Baseline => measure.baseline.is_some(),
    }
}

/// The arguments of a reading; nothing where a hole cannot be told, or the time is not known.
fn arguments(draft: &Draft<'_>, measure: &MeasureSpec, time: ReadingTime) -> Option<serde_json::Map<String, Value>> {
    let filled = measure.args.fill_known(&json!({"fields": draft.session.fields()})).ok()?;
    let mut args = filled.as_object().cloned()?;
    match time {
        ReadingTime::Now => {}
        ReadingTime::Before => {
            drop(args.insert(TIME_ARGUMENT.to_owned(), draft.session.acted_at()?.to_string().into()));
        }
        ReadingTime::Baseline => {
            let at = onset(draft).minus(measure.baseline?.ago);
            drop(args.insert(TIME_ARGUMENT.to_owned(), at.to_string().into()));
        }
    }
    Some(args)
}

/// When the trouble began: what the delivery said, else when the case was opened.
fn onset(draft: &Draft<'_>) -> Timestamp {
    draft.session.origin().onset.unwrap_or(draft.session.created_at())
}

/// Takes the reading of a call that came back, and judges the poll once it was the last. Without a whole result there is no
/// reading.
pub(super) fn read(
    draft: &mut Draft<'_>,
    assignment: AssignmentId,
    spec: &SeveralWatch,
    call: &CallId,
    result: Option<&Value>,
) {
    let Some((name, measure, time)) = spec.of_call(call) else { return };
    let args = draft.session.call(call).and_then(|call| Some((*call.intent()?.args).clone()));
    let value = result.and_then(|result| {
        let names = json!({"result": result, "args": args, "fields": draft.session.fields()});
        measure.value.value(&names).ok()?.as_f64()
    });
    draft.push(MeasureRead { assignment, measure: name.to_owned(), time, value });
    let settled = draft.session.works().get(&assignment).is_some_and(|work| draft.session.all_settled(work));
    if settled {
        judge(draft, assignment, spec);
    }
}

impl SeveralWatch {
    /// What a call of a poll reads.
    fn of_call(&self, call: &CallId) -> Option<(&str, &MeasureSpec, ReadingTime)> {
        let index: usize = call.as_str().rsplit('.').next()?.parse().ok()?;
        let (name, measure) = self.measures.iter().nth(index / TIMES.len())?;
        Some((name, measure, *TIMES.get(index % TIMES.len())?))
    }

    /// Whether the readings say that the trouble is over; `None` where they do not say.
    fn is_recovered(&self, names: &CaseNames<'_>, watch: &Watch) -> Option<bool> {
        let ignored = |expression: &Expression| {
            expression.reads().iter().any(|read| match read.names.as_slice() {
                [name, part, ..] if part == "baseline" => {
                    let ignores = self.measures.get(name).and_then(|measure| measure.baseline);
                    let known = watch.readings.get(name).is_some_and(|own| own.baseline.is_some());
                    ignores.is_some_and(|baseline| baseline.ignore_absent) && !known
                }
                _ => false,
            })
        };
        let conditions = self.recovered.conjuncts();
        let mut counted = conditions.iter().filter(|condition| !ignored(condition)).peekable();
        // With nothing left to hold, nothing is told.
        counted.peek()?;
        counted
            .try_fold(Some(true), |all, condition| match names.judge(condition) {
                Judgement::True => Some(all),
                Judgement::False => None,
                Judgement::CannotTell(_) => Some(None),
            })
            .map_or(Some(false), |all| all)
    }
}

/// Judges the readings of a poll.
fn judge(draft: &mut Draft<'_>, assignment: AssignmentId, spec: &SeveralWatch) {
    let Some(watch) = watch(draft, assignment) else { return };
    let (met, worse) = {
        let names = spec.measures.keys().fold(CaseNames::new(&draft.session, draft.now), |names, name| {
            names.with(name, json!(watch.readings.get(name).copied().unwrap_or_default()))
        });
        let worse = spec.worse.as_ref().is_some_and(|worse| names.judge(worse).is_true());
        (if worse { Some(false) } else { spec.is_recovered(&names, watch) }, worse)
    };
    polled(draft, assignment, met, worse);
}
