//! A session brought over from another store. Its run may go on where it came from, so none goes on here by itself.

use serde_json::json;

use super::draft::Recorder;
use super::facts::Verdict;
use super::stop;
use crate::event::SignalReceived;
use crate::ids::Fence;
use crate::principal::Principal;
use crate::session::Session;
use crate::terminal::FrameworkStatus;
use crate::time::Timestamp;

/// What the log of an imported session needs besides: nothing when it had ended. Otherwise it ends as `needs_review`, with
/// its approvals taken back and what may have happened of its calls put to a person.
pub fn imported(session: &Session, now: Timestamp, fence: Fence, by: &Principal) -> Verdict {
    let mut recorder = Recorder::new(session.clone(), now, fence);
    let was = session.status();
    if !was.is_end() {
        let payload = json!({"by": by, "status": was.as_str(), "head": session.head()});
        recorder.push(SignalReceived { source: "import".to_owned(), payload: payload.into() });
        stop::abandon(&mut recorder, by, "the session was imported from where this call was being made");
        let reason =
            format!("imported while it was {was}: make sure that it has ended where it came from, then retry it");
        recorder.set_status(FrameworkStatus::NeedsReview, reason, by);
    }
    recorder.into_verdict()
}
