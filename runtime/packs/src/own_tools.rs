//! The pack's own tools as written: terminal tools and findings tools.

use provost_form::{At, Count, ErrorLog, FromYaml, Json, Names, NodeKind, YamlNode, table};
use serde_json::json;

use crate::conditions::RawRequires;

table! {
    #[derive(Debug)]
    pub(crate) struct RawTerminal {
        pub(crate) about: Option<At<String>> = None,
        pub(crate) outcome: RawClaimOutcome,
        pub(crate) evidence: RawEvidence = RawEvidence(0),
        pub(crate) args: Names<YamlNode>,
        pub(crate) requires: RawRequires = RawRequires::Signals(Names::default()),
        pub(crate) set: Names<At<String>> = Names::default(),
        pub(crate) effect: Option<At<String>> = None,
    }
}

/// The outcome of a claim: a name, or `{by: ARGUMENT, VALUE: OUTCOME, …}`.
#[derive(Debug)]
pub(crate) enum RawClaimOutcome {
    Fixed(At<String>),
    By { argument: At<String>, table: Vec<(At<String>, At<String>)> },
}

/// The key that names the argument; every other key is one of its values.
const BY: &str = "by";

impl RawClaimOutcome {
    /// The outcomes that are named, with their places.
    pub(crate) fn outcomes(&self) -> impl Iterator<Item = &At<String>> {
        let (fixed, table) = match self {
            Self::Fixed(outcome) => (Some(outcome), [].as_slice()),
            Self::By { table, .. } => (None, table.as_slice()),
        };
        fixed.into_iter().chain(table.iter().map(|(_, outcome)| outcome))
    }
}

impl FromYaml for RawClaimOutcome {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        if !node.is_table() {
            return At::read(node, log).map(Self::Fixed);
        }
        let Some(by) = node.get(BY) else {
            let hint = "write `by: ARGUMENT`, and an outcome for each of its values";
            log.report(node.place, "the outcome does not say by which argument it is chosen", hint);
            return None;
        };
        let argument = At::read(by, log)?;
        let rows = node.entries().filter(|(value, _)| value.as_str() != BY);
        let table = rows.filter_map(|(value, outcome)| Some((value.clone(), At::read(outcome, log)?))).collect();
        Some(Self::By { argument, table })
    }

    fn schema() -> Json {
        json!({"anyOf": [String::schema(), {"type": "object", "required": [BY], "additionalProperties": String::schema()}]})
    }

    fn blank() -> Self {
        Self::Fixed(At::blank())
    }
}

/// How many results a claim must cite: a number, or `required` (one) or `optional` as packs wrote it before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RawEvidence(pub(crate) u32);

impl FromYaml for RawEvidence {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        let words = match &node.kind {
            NodeKind::Scalar(value) => value.as_str(),
            NodeKind::Supplied(_) | NodeKind::List(_) | NodeKind::Table(_) => None,
        };
        match words {
            Some("required") => Some(Self(1)),
            Some("optional") => Some(Self(0)),
            Some(_) => {
                log.expected("a number of results", node, "write how many a claim must cite, or `required`");
                None
            }
            None => {
                let count = Count::<0>::read(node, log)?.0;
                if count > EVIDENCE_MAX {
                    let message = format!("a claim cites at most {EVIDENCE_MAX} results");
                    log.report(node.place, message, "write a smaller number");
                    return None;
                }
                Some(Self(count))
            }
        }
    }

    fn schema() -> Json {
        json!({"anyOf": [{"type": "integer", "minimum": 0, "maximum": EVIDENCE_MAX}, {"enum": ["required", "optional"]}]})
    }

    fn blank() -> Self {
        Self(0)
    }
}

/// Most results that a claim cites: as many as a list of the shorthand has items.
pub(crate) const EVIDENCE_MAX: u32 = 64;

table! {
    #[derive(Debug)]
    pub(crate) struct RawFindings {
        pub(crate) about: Option<At<String>> = None,
        pub(crate) args: Names<YamlNode>,
        pub(crate) unique: At<Vec<At<String>>> = At::default(),
        pub(crate) max: Option<At<Count<1>>> = None,
    }
}
