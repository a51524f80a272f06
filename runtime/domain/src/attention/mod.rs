//! Who is told when a session needs people: pure rules over the folded session, without a carrier and without a clock.
//!
//! | file | what |
//! |---|---|
//! | `need` | what a session needs of people, as it stands |
//! | `rules` | whom which need is told, when again, and to whom next |
//! | `window` | hours of a day, for quiet hours and for rules |
//! | `watchlist` | what was told so far, as it is stored between two looks |
//! | `plan` | one look: what is told now, and when to look again |
//! | `notice` | what one message says, before a carrier renders it |
//! | `plain` | text from outside, bounded and without hidden characters |

mod need;
mod notice;
mod plain;
mod plan;
mod rules;
mod watchlist;
mod window;

pub use need::{Need, NeedId, NeedKind};
pub use notice::{AttentionNotice, NoticeAsk, NoticeCause, NoticeFact, NoticeLink};
pub use plain::plain;
pub use plan::{AttentionPlan, Look, Tell, TellStep, plan};
pub use rules::{AttentionRule, AttentionRules, Escalation, RuleMatch};
pub use watchlist::Watchlist;
pub use window::{BadWindow, DayHours};

/// Whether an append of these kinds of events (comma-separated, as a record's header has them) may change what people are
/// needed for. A store notes its session then, in the same transaction, to be looked at.
///
/// The end of an outage is not among them: a session that waits too long is looked at from time to time.
pub fn is_news(kinds: &str) -> bool {
    kinds.split(',').any(|kind| NEWS.contains(&kind))
}

/// The kinds whose events begin, change or end a need.
const NEWS: [&str; 14] = [
    "status_changed",
    "approval_requested",
    "approval_answered",
    "approval_decided",
    "approval_expired",
    "approval_stale",
    "approval_extended",
    "outcome_unknown",
    "outcome_settled",
    "operator_asked",
    "operator_spoke",
    "case_acknowledged",
    "model_deferred",
    "tool_deferred",
];

#[cfg(test)]
mod tests;
