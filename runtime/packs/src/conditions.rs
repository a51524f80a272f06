//! Expressions in a pack's files.

use provost_domain::condition::{Condition, Op};
use provost_expr::Expression;
use provost_form::{At, ErrorLog, FromYaml, Json, Names, Table, TableSchema, YamlNode, table, words};
use serde_json::{Value, json};

words! {
    pub(crate) struct RawOp(Op) = Op::Eq;
}

table! {
    #[derive(Debug)]
    pub(crate) struct RawCondition {
        pub(crate) path: At<String>,
        pub(crate) op: At<RawOp> = At::blank(),
        pub(crate) value: Option<YamlNode> = None,
    }
}

/// The condition of a dispatch rule: an expression, or a list of comparisons as packs wrote them before.
#[derive(Debug)]
pub(crate) enum RawWhen {
    Expression(At<String>),
    Comparisons(At<Vec<RawCondition>>),
}

impl RawWhen {
    /// The comparisons; none where an expression stands.
    pub(crate) fn comparisons(&self) -> Option<&At<Vec<RawCondition>>> {
        match self {
            Self::Expression(_) => None,
            Self::Comparisons(list) => Some(list),
        }
    }

    pub(crate) fn expression(&self) -> Option<&At<String>> {
        match self {
            Self::Expression(text) => Some(text),
            Self::Comparisons(_) => None,
        }
    }
}

impl FromYaml for RawWhen {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        if node.is_list() {
            return At::read(node, log).map(Self::Comparisons);
        }
        if node.text().is_some() {
            return At::read(node, log).map(Self::Expression);
        }
        log.expected("a condition", node, "write an expression, or a list of {path, op, value}");
        None
    }

    fn schema() -> Json {
        json!({"anyOf": [String::schema(), Vec::<RawCondition>::schema()]})
    }

    fn blank() -> Self {
        Self::Comparisons(At::blank())
    }
}

/// What a terminal tool requires: conditions with words, or the signals that agents must have reported, as packs wrote it
/// before.
#[derive(Debug)]
pub(crate) enum RawRequires {
    Signals(Names<At<String>>),
    Conditions(Vec<RawRequirement>),
}

/// A condition, and what an agent is told where it does not hold.
#[derive(Debug)]
pub(crate) struct RawRequirement {
    pub(crate) that: At<String>,
    pub(crate) otherwise: At<String>,
}

impl FromYaml for RawRequirement {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        let table = Table::open(node, &["that", "else"], log)?;
        Some(Self { that: table.required("that", log), otherwise: table.required("else", log) })
    }

    fn schema() -> Json {
        let key = |table: TableSchema, name| table.key(name, String::schema(), true, &[]);
        key(key(TableSchema::default(), "that"), "else").finish()
    }

    fn blank() -> Self {
        Self { that: At::blank(), otherwise: At::blank() }
    }
}

impl RawRequires {
    /// Agents with the signals that they must have reported.
    pub(crate) fn signals(&self) -> impl Iterator<Item = (&At<String>, &At<String>)> {
        let signals = match self {
            Self::Signals(signals) => Some(signals),
            Self::Conditions(_) => None,
        };
        signals.into_iter().flat_map(Names::iter)
    }

    pub(crate) fn conditions(&self) -> &[RawRequirement] {
        match self {
            Self::Signals(_) => &[],
            Self::Conditions(conditions) => conditions,
        }
    }
}

impl FromYaml for RawRequires {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        if node.is_list() {
            return Vec::read(node, log).map(Self::Conditions);
        }
        if node.is_table() {
            return Names::read(node, log).map(Self::Signals);
        }
        log.expected("a list of conditions", node, "write `- {that: EXPRESSION, else: words for the agent}`");
        None
    }

    fn schema() -> Json {
        json!({"anyOf": [Vec::<RawRequirement>::schema(), Names::<String>::schema()]})
    }

    fn blank() -> Self {
        Self::Signals(Names::blank())
    }
}

/// The expression of a text that was checked; nothing where it was refused.
pub(crate) fn expression(text: &At<String>) -> Option<Expression> {
    Expression::parse(text).ok()
}

/// The comparisons that packs wrote before there were expressions.
pub(crate) fn comparisons(raw: &[RawCondition]) -> Vec<Condition> {
    let condition = |raw: &RawCondition| Condition {
        path: raw.path.value.clone(),
        op: raw.op.0,
        value: raw.value.as_ref().map_or(Value::Null, YamlNode::value),
    };
    raw.iter().map(condition).collect()
}
