//! What people may ask of a session besides answering and carrying on. One entry is a command in every face: its path and
//! body in the API and for the remote command line, and its form on the page.

use provost_domain::command::Ask;
use provost_domain::event::Settlement;
use provost_domain::ids::{CallId, ToolName};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// The body of a command, at `POST /v1/sessions/{session}/VERB`.
pub trait Steer: Serialize + DeserializeOwned + ToSchema + Send + Sync + 'static {
    /// The last part of its path.
    const VERB: &'static str;
    /// What it does, for the API's document.
    const ABOUT: &'static str;
    /// What a page says once it was applied.
    const SAID: &'static str;
    /// How the page offers it, where a field of text is all it needs.
    const FORM: Option<TextForm> = None;

    /// The person's own words in it. A page does not send blank ones.
    fn words(&self) -> Option<&str> {
        None
    }

    /// The command.
    fn ask(self) -> Ask;
}

/// A form with one field of text.
#[derive(Debug, Clone, Copy)]
pub struct TextForm {
    /// Where it goes: the command's verb.
    pub verb: &'static str,
    /// The body's member that the text becomes.
    pub field: &'static str,
    /// What opens it.
    pub title: &'static str,
    /// What to write.
    pub label: &'static str,
    /// What sends it.
    pub button: &'static str,
    /// Whether it ends something for good; then it is not offered once the session has ended.
    pub ends: bool,
}

/// Visits each kind of body, for those who make something of all of them.
pub trait SteerVisitor {
    /// Takes the kind as a type: its constants say what there is to know.
    fn visit<S: Steer>(&mut self);
}

/// Shows a visitor every kind of body.
pub fn steers(visitor: &mut impl SteerVisitor) {
    visitor.visit::<StopBody>();
    visitor.visit::<RetryBody>();
    visitor.visit::<SayBody>();
    visitor.visit::<SettleBody>();
    visitor.visit::<ClaimBody>();
    visitor.visit::<AnnotateBody>();
    visitor.visit::<AcknowledgeBody>();
}

/// The verb and the body that ask it; `None` for what is asked at another path.
pub fn steered(ask: &Ask) -> Option<(&'static str, Value)> {
    Some(match ask.clone() {
        Ask::Stop { reason } => written(&StopBody { reason }),
        Ask::Retry { force } => written(&RetryBody { force }),
        Ask::Speak { text } => written(&SayBody { text }),
        Ask::Settle { call, settlement } => written(&SettleBody::new(&call, settlement)),
        Ask::Claim { tool, args } => written(&ClaimBody { tool: tool.to_string(), args }),
        Ask::Annotate { text } => written(&AnnotateBody { text }),
        Ask::Acknowledge => written(&AcknowledgeBody {}),
        Ask::Start | Ask::Continue | Ask::Answer { .. } | Ask::Signal { .. } => return None,
    })
}

fn written<S: Steer>(body: &S) -> (&'static str, Value) {
    (S::VERB, json!(body))
}

/// Why it is stopped.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StopBody {
    /// For the log and for people.
    reason: String,
}

impl Steer for StopBody {
    const VERB: &'static str = "stop";
    const ABOUT: &'static str = "Stops a session for good. Never busy.";
    const SAID: &'static str = "Stopped.";
    const FORM: Option<TextForm> = Some(TextForm {
        verb: Self::VERB,
        field: "reason",
        title: "Stop for good…",
        label: "Why? It is in the log for good. What runs is cancelled; nothing is undone.",
        button: "Stop",
        ends: true,
    });

    fn words(&self) -> Option<&str> {
        Some(&self.reason)
    }

    fn ask(self) -> Ask {
        Ask::Stop { reason: self.reason }
    }
}

/// How to retry.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetryBody {
    /// Also where the policy says no.
    #[serde(default)]
    force: bool,
}

impl Steer for RetryBody {
    const VERB: &'static str = "retry";
    const ABOUT: &'static str = "Tries again after an end that a person can leave.";
    const SAID: &'static str = "A new try begins.";

    fn ask(self) -> Ask {
        Ask::Retry { force: self.force }
    }
}

/// An operator's words.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SayBody {
    /// The words.
    text: String,
}

impl Steer for SayBody {
    const VERB: &'static str = "say";
    const ABOUT: &'static str = "Says what the operator was asked for.";
    const SAID: &'static str = "Said.";

    fn words(&self) -> Option<&str> {
        Some(&self.text)
    }

    fn ask(self) -> Ask {
        Ask::Speak { text: self.text }
    }
}

/// What is true of a call whose outcome nobody knows.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Truth {
    /// It took effect.
    Happened,
    /// It had no effect.
    DidNotHappen,
    /// Nobody will ever know.
    GiveUp,
}

/// How a doubtful call is settled.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettleBody {
    /// The call in doubt, as the session names it.
    call: String,
    /// What is true.
    what: Truth,
    /// What was seen.
    #[serde(default)]
    note: String,
}

impl SettleBody {
    fn new(call: &CallId, settlement: Settlement) -> Self {
        let (what, note) = match settlement {
            Settlement::Happened { note } => (Truth::Happened, note),
            Settlement::DidNotHappen { note } => (Truth::DidNotHappen, note),
            Settlement::GiveUp { note } => (Truth::GiveUp, note),
        };
        Self { call: call.to_string(), what, note }
    }
}

impl Steer for SettleBody {
    const VERB: &'static str = "settle";
    const ABOUT: &'static str = "Settles a call of which nobody knows whether it happened.";
    const SAID: &'static str = "Settled.";

    fn words(&self) -> Option<&str> {
        Some(&self.note)
    }

    fn ask(self) -> Ask {
        let note = self.note;
        let settlement = match self.what {
            Truth::Happened => Settlement::Happened { note },
            Truth::DidNotHappen => Settlement::DidNotHappen { note },
            Truth::GiveUp => Settlement::GiveUp { note },
        };
        Ask::Settle { call: CallId::new(self.call), settlement }
    }
}

/// A person's own terminal claim.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClaimBody {
    /// A terminal tool of the session's pack.
    tool: String,
    /// Its arguments.
    #[schema(value_type = Object)]
    args: Map<String, Value>,
}

impl Steer for ClaimBody {
    const VERB: &'static str = "claim";
    const ABOUT: &'static str = "Closes a session by a terminal tool of its pack, under the caller's own name.";
    const SAID: &'static str = "Claimed.";

    fn ask(self) -> Ask {
        Ask::Claim { tool: ToolName::new(self.tool), args: self.args }
    }
}

/// A note for people.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnnotateBody {
    /// The note.
    text: String,
}

impl Steer for AnnotateBody {
    const VERB: &'static str = "annotate";
    const ABOUT: &'static str = "Leaves a note for people in the log, also after the session's end. No agent is told.";
    const SAID: &'static str = "Noted.";
    const FORM: Option<TextForm> = Some(TextForm {
        verb: Self::VERB,
        field: "text",
        title: "Leave a note…",
        label: "What should others know? No agent reads it.",
        button: "Note on",
        ends: false,
    });

    fn words(&self) -> Option<&str> {
        Some(&self.text)
    }

    fn ask(self) -> Ask {
        Ask::Annotate { text: self.text }
    }
}

/// Somebody is at it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcknowledgeBody {}

impl Steer for AcknowledgeBody {
    const VERB: &'static str = "acknowledge";
    const ABOUT: &'static str =
        "Says that you are at it: nobody is reminded of what the session needs now, until it needs something else.";
    const SAID: &'static str = "Acknowledged.";

    fn ask(self) -> Ask {
        Ask::Acknowledge
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the body of each verb as the server does.
    struct Read<'a> {
        verb: &'a str,
        body: Value,
        asked: Option<Ask>,
    }

    impl SteerVisitor for Read<'_> {
        fn visit<S: Steer>(&mut self) {
            if S::VERB == self.verb {
                self.asked = Some(serde_json::from_value::<S>(self.body.clone()).unwrap().ask());
            }
        }
    }

    #[test]
    fn what_a_client_writes_the_server_reads_as_the_same_command() {
        let (call, note) = (CallId::new("a1.r1.c0"), "seen".to_owned());
        let asks = [
            Ask::Stop { reason: "enough".to_owned() },
            Ask::Retry { force: true },
            Ask::Speak { text: "go on".to_owned() },
            Ask::Settle { call: call.clone(), settlement: Settlement::Happened { note: note.clone() } },
            Ask::Settle { call: call.clone(), settlement: Settlement::DidNotHappen { note: note.clone() } },
            Ask::Settle { call, settlement: Settlement::GiveUp { note } },
            Ask::Claim { tool: ToolName::new("mark_done"), args: Map::from_iter([("n".to_owned(), json!(1))]) },
            Ask::Annotate { text: "look here".to_owned() },
            Ask::Acknowledge,
        ];
        for ask in asks {
            let (verb, body) = steered(&ask).unwrap();
            let mut read = Read { verb, body, asked: None };
            steers(&mut read);
            assert_eq!(read.asked, Some(ask));
        }
    }
}
