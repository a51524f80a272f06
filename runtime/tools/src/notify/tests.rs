//! Messages for the tests of the receivers.

use std::sync::Arc;

use provost_domain::attention::{AttentionNotice, NeedKind, NoticeAsk, NoticeCause, NoticeFact, NoticeLink, TellStep};
use provost_domain::ids::{CallId, SessionId, ToolName};
use provost_domain::time::Timestamp;
use provost_domain::tool::ToolCall;
use serde_json::Value;

/// What an attacker writes into an alert.
const HOSTILE: &str = "<!channel> <script>alert(1)</script> [x](javascript:alert) *b* @here \u{202e}";

fn session() -> SessionId {
    SessionId::new(uuid::Uuid::from_u128(7))
}

/// A call of an agent.
pub(super) fn agents(args: Value) -> ToolCall {
    let (call, tool) = (CallId::new("a1.r1.c0"), ToolName::new("notify:team"));
    ToolCall { session: session(), call, tool, args: Arc::new(args), key: "key".to_owned() }
}

/// An approval that is asked for.
pub(super) fn approval() -> NoticeAsk {
    NoticeAsk {
        kind: NeedKind::Approval,
        what: "first asks to run act:gated".to_owned(),
        why: Some("because this tool is high risk".to_owned()),
        changes: vec![NoticeFact { name: "to".to_owned(), value: "v41".to_owned() }],
        yes: Some("act:gated runs once with these arguments.".to_owned()),
        no: Some("It does not run.".to_owned()),
        until: Some(Timestamp::from_micros(1_764_590_400_000_000)),
        who: "Who has the role approver may answer.".to_owned(),
        approval: Some("apr_1".into()),
    }
}

/// One whose every text is as long as it may be and means harm.
pub(super) fn hostile() -> NoticeAsk {
    let long = HOSTILE.repeat(12);
    NoticeAsk {
        what: long.clone(),
        why: Some(long.clone()),
        changes: vec![NoticeFact { name: "<!everyone>".to_owned(), value: long.clone() }; 12],
        ..approval()
    }
}

/// A message of the runtime.
pub(super) fn notice(step: TellStep, asks: Vec<NoticeAsk>) -> ToolCall {
    let text = if asks.iter().any(|ask| ask.what.contains("script")) { HOSTILE } else { "checkout fails" };
    let notice = AttentionNotice {
        session: session(),
        handle: "CASE-1".to_owned(),
        pack: "case".into(),
        title: format!("{text}\r\nBcc: evil@example.org"),
        step,
        status: "awaiting_input".to_owned(),
        reason: "approval pending".to_owned(),
        facts: vec![NoticeFact { name: "service".to_owned(), value: text.to_owned() }],
        cause: Some(NoticeCause { agent: "first".to_owned(), text: text.to_owned(), confidence: "0.82".to_owned() }),
        asks,
        more: 1,
        acknowledged_by: Some("user:ann".to_owned()),
        links: vec![NoticeLink { title: "Open".to_owned(), url: "https://provost.example/sessions/1".to_owned() }],
        contact: "oncall".to_owned(),
        at: Timestamp::from_micros(5),
    };
    notice.call(ToolName::new("notify:team"), "key".to_owned()).unwrap()
}
