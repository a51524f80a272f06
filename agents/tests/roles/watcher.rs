//! The measurement.

use provost_agents::watcher::{Verdict, WatcherReport};
use serde_json::json;

use crate::Play;

/// The runtime writes the report, in the form the role says.
#[tokio::test]
async fn what_was_measured_is_a_typed_report() {
    let play = Play::of("first").await;
    let args = json!({
        "content": "done", "confidence": 0.9, "rationale": "seen", "signal": "watch",
        "report": {"real": true, "scope": "the shop"},
    });
    play.model.calls(&[("finish_turn", args)]);
    let session = play.until("needs_review").await;
    let report = session.reports().get("gauge").unwrap().report.clone().unwrap();
    let report: WatcherReport = serde_json::from_value((*report).clone()).unwrap();
    assert_eq!((report.verdict, report.tool.as_str()), (Verdict::Recovered, "read:gauge"));
    assert!(report.polls >= 2 && report.in_a_row == report.asked_for, "{report:?}");
}
