//! The rules as written.

use std::time::Duration;

use provost_domain::condition::Condition;
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Script {
    pub(super) rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    /// When the rule answers; everything named must hold.
    #[serde(rename = "match")]
    pub(super) when: Match,
    pub(super) reply: Reply,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Match {
    pub(super) agent: Option<String>,
    pub(super) round: Option<u32>,
    #[serde(default, rename = "where")]
    pub(super) conditions: Vec<Condition>,
    /// The status or the reason of the last tool result.
    pub(super) last_refusal: Option<String>,
}

/// What is answered: calls and text, an envelope, or a fault.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Reply {
    pub(super) text: Option<String>,
    #[serde(default)]
    pub(super) calls: Vec<ScriptCall>,
    pub(super) envelope: Option<Value>,
    #[serde(default)]
    pub(super) via: Via,
    pub(super) fault: Option<ScriptFault>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScriptCall {
    pub(super) tool: String,
    #[serde(default = "no_args")]
    pub(super) args: Value,
}

fn no_args() -> Value {
    Value::Object(serde_json::Map::new())
}

/// How an envelope is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Via {
    #[default]
    Tool,
    Text,
    Markdown,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScriptFault {
    pub(super) kind: ScriptFaultKind,
    #[serde(default, with = "humantime_serde")]
    pub(super) retry_after: Option<Duration>,
    /// How many asks of one question get it; without it every one does.
    pub(super) times: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum ScriptFaultKind {
    Timeout,
    RateLimited,
    Unavailable,
    Malformed,
    Refused,
}

impl Rule {
    /// A reply is a fault, or something to say.
    pub(super) fn check(&self) -> Result<(), String> {
        let Reply { text, calls, envelope, fault, via: _ } = &self.reply;
        let says = text.is_some() || !calls.is_empty() || envelope.is_some();
        match (fault.is_some(), says) {
            (true, true) => Err("a reply is either a fault or an answer, not both".to_owned()),
            (false, false) => Err("the reply is empty: give calls, text, an envelope or a fault".to_owned()),
            (true, false) | (false, true) => Ok(()),
        }
    }
}
