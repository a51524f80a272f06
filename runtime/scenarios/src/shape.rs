//! A scenario as written: `tests/NAME.yaml` of a pack. Unknown keys are refused everywhere.

use provost_form::{At, Count, ErrorLog, FromYaml, Json, Names, Table, TableSchema, YamlNode, table, words};
use serde::Deserialize;
use serde_json::json;

words! {
    impl RawAnswerWord = RawAnswerWord::Nothing;
    impl RawHappening = RawHappening::No;
}

table! {
    /// One scenario.
    #[derive(Debug)]
    pub(crate) struct RawScenario {
        /// What it shows, in a sentence.
        pub(crate) scenario: At<String>,
        /// What the session is opened with: `{FORM: FILE}`, a sample that goes through the pack's intake, or `{fields: {…}}`.
        pub(crate) case: RawCase,
        /// Who plays the models.
        pub(crate) model: RawModelPart,
        /// What the tools answer, by their full names.
        pub(crate) tools: Names<Vec<RawToolAnswer>> = Names::default(),
        /// Who answers what the session asks, each once, in this order.
        pub(crate) people: Vec<RawPerson> = Vec::new(),
        /// What must come of it.
        pub(crate) expect: RawExpectation,
    }
}

table! {
    /// Who plays the models: all of them speak from one script.
    #[derive(Debug)]
    pub(crate) struct RawModelPart {
        /// The file of the script, from the pack's folder.
        pub(crate) script: At<String>,
    }
}

/// What the session is opened with: one key, the form of a sample or `fields`.
#[derive(Debug)]
pub(crate) struct RawCase {
    pub(crate) form: At<String>,
    pub(crate) value: YamlNode,
}

/// The key of a case whose fields are written in the scenario.
pub(crate) const FIELDS: &str = "fields";

impl FromYaml for RawCase {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        let hint = "write `{fields: {…}}`, or the form of a delivery with a sample: `{FORM: samples/NAME.json}`";
        let mut entries = node.entries();
        match (entries.next(), entries.next()) {
            (Some((form, value)), None) => Some(Self { form: form.clone(), value: value.clone() }),
            (Some(_), Some((second, _))) => {
                log.report(second.place, "a case is opened in one way", hint);
                None
            }
            (None, _) => {
                log.expected("a case", node, hint);
                None
            }
        }
    }

    fn schema() -> Json {
        json!({"type": "object", "minProperties": 1, "maxProperties": 1,
            "properties": {"fields": {"type": "object"}}, "additionalProperties": String::schema()})
    }

    fn blank() -> Self {
        Self { form: At::blank(), value: YamlNode::blank() }
    }
}

/// What a tool gives when it is called, or how it fails.
#[derive(Debug)]
pub(crate) struct RawToolAnswer {
    /// Only once a call of this tool has worked.
    pub(crate) after: Option<At<String>>,
    /// The result; `null` where nothing was found.
    pub(crate) give: Option<YamlNode>,
    /// How the call fails.
    pub(crate) fail: Option<RawFail>,
}

impl FromYaml for RawToolAnswer {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        let table = Table::open(node, &["after", "give", "fail"], log)?;
        let answer = Self {
            after: table.optional("after", log),
            give: table.optional("give", log),
            fail: table.optional("fail", log),
        };
        match (&answer.give, &answer.fail) {
            (Some(_), None) | (None, Some(_)) => Some(answer),
            (Some(_), Some(_)) => {
                log.report(node.place, "an answer either gives or fails", "take `give` or `fail` out");
                None
            }
            (None, None) => {
                let hint = "add `give: RESULT`, `give: null` for nothing found, or `fail: {timeout: true}`";
                log.report(node.place, "the answer says nothing", hint);
                None
            }
        }
    }

    fn schema() -> Json {
        TableSchema::default()
            .key("after", String::schema(), false, &["doc = \"Only once a call of this tool has worked.\""])
            .key("give", json!({}), false, &["doc = \"The result; null where nothing was found.\""])
            .key("fail", RawFail::schema(), false, &["doc = \"How the call fails.\""])
            .finish()
    }

    fn blank() -> Self {
        Self { after: None, give: None, fail: None }
    }
}

table! {
    /// How a call fails.
    #[derive(Debug)]
    pub(crate) struct RawFail {
        /// Nobody answered in time.
        pub(crate) timeout: bool = false,
        /// What was seen, for the model.
        pub(crate) detail: Option<At<String>> = None,
        /// Whether the effect may have happened: `no` or `maybe`. A call that only reads changes nothing.
        pub(crate) happened: Option<RawHappening> = None,
    }
}

/// Whether the effect of a failed call may have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RawHappening {
    No,
    Maybe,
}

/// What somebody answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RawAnswerWord {
    /// The call may run.
    Approve,
    /// The call must not run; `text` says why.
    Reject,
    /// The call may run with these `args` instead.
    Edit,
    /// The call does not run; the agent gets `text`.
    Respond,
    /// Words for the agent that asked: `text`.
    Continue,
    /// The session is stopped; `text` says why.
    Stop,
    /// Of a call that may have happened: it did.
    Happened,
    /// Of a call that may have happened: it did not.
    DidNotHappen,
    /// Nobody answers: time passes.
    Nothing,
}

/// Somebody who answers once.
#[derive(Debug)]
pub(crate) struct RawPerson {
    /// The tool whose call, or the agent whose question, it is about.
    pub(crate) asked: At<String>,
    /// Who answers.
    pub(crate) name: At<String>,
    pub(crate) answer: RawAnswerWord,
    /// Words, where the answer has some.
    pub(crate) text: Option<At<String>>,
    /// New arguments, of an edit.
    pub(crate) args: Option<YamlNode>,
}

impl FromYaml for RawPerson {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        let table = Table::open(node, &["asked", "as", "answer", "text", "args"], log)?;
        Some(Self {
            asked: table.required("asked", log),
            name: table.required("as", log),
            answer: table.required("answer", log),
            text: table.optional("text", log),
            args: table.optional("args", log),
        })
    }

    fn schema() -> Json {
        TableSchema::default()
            .key(
                "asked",
                String::schema(),
                true,
                &["doc = \"The tool whose call, or the agent whose question, it is about.\""],
            )
            .key("as", String::schema(), true, &["doc = \"The person's name.\""])
            .key("answer", RawAnswerWord::schema(), true, &[])
            .key("text", String::schema(), false, &["doc = \"Words, where the answer has some.\""])
            .key("args", json!({"type": "object"}), false, &["doc = \"New arguments, of an edit.\""])
            .finish()
    }

    fn blank() -> Self {
        Self { asked: At::blank(), name: At::blank(), answer: RawAnswerWord::Nothing, text: None, args: None }
    }
}

table! {
    /// What must come of a scenario.
    #[derive(Debug)]
    pub(crate) struct RawExpectation {
        /// How the session ends: one of the pack's outcomes, or `needs_review`, `error`, `stopped`, `awaiting_input`.
        pub(crate) outcome: At<String>,
        /// How often a configured tool is called.
        pub(crate) calls: Names<At<Count<0>>> = Names::default(),
        /// Expressions that hold at the end, over `fields`, `reports`, `findings` and `case`.
        pub(crate) that: Vec<At<String>> = Vec::new(),
        /// Kinds of events that happen, in this order; others may stand between them.
        pub(crate) events: Vec<At<String>> = Vec::new(),
    }
}
