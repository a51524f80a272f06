//! Conditions: comparisons that can hold.

use provost_domain::condition::Op;
use provost_form::{At, ErrorLog, NodeKind};

use crate::conditions::RawCondition;

/// Checks a list of conditions.
pub(super) fn check(conditions: &At<Vec<RawCondition>>, log: &mut ErrorLog) {
    if conditions.is_empty() && !conditions.is_blank() {
        log.report(conditions.place, "no condition always holds", "write at least one {path, op, value}");
    }
    for condition in conditions.iter().filter(|condition| !condition.path.is_blank()) {
        let RawCondition { path, op, value } = condition;
        match (op.0, value) {
            (Op::Exists | Op::Absent, None) => {}
            (Op::Exists | Op::Absent, Some(value)) => {
                log.report(value.place, "this comparison takes no value", "take `value` out");
            }
            (Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Gt | Op::Ge | Op::Contains, None) => {
                log.report(path.place, "the comparison has no value", "add `value:`, or write `op: exists`");
            }
            (Op::Lt | Op::Le | Op::Gt | Op::Ge, Some(value)) if !has_order(&value.kind) => {
                log.expected("a number or a text", value, "nothing else is less or greater");
            }
            (Op::Eq | Op::Ne | Op::Lt | Op::Le | Op::Gt | Op::Ge | Op::Contains, Some(_)) => {}
        }
        if path.split('.').any(str::is_empty) {
            log.report(path.place, "not a path", "write names with dots between them");
        }
    }
}

fn has_order(kind: &NodeKind) -> bool {
    match kind {
        NodeKind::Scalar(value) => value.is_number() || value.is_string(),
        NodeKind::Supplied(_) => true,
        NodeKind::List(_) | NodeKind::Table(_) => false,
    }
}
