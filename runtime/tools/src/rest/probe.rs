//! The key `probe` of an entry: how the server is asked whether a call happened whose answer was lost.

use provost_domain::tool::{ProbeAnswer, ToolOutcome};
use provost_expr::{Expression, Judgement, Scope, Type};
use provost_form::{ErrorLog, FromYaml as _, Table, YamlNode};
use serde_json::Value;

use super::request::RestRequest;
use crate::holes::mistakes;

/// The question, and what its answers mean.
#[derive(Debug, Clone)]
pub(super) struct RestProbe {
    pub(super) request: RestRequest,
    happened: Expression,
    not_happened: Expression,
}

impl RestProbe {
    /// Reads the key. The request's holes read `args` and the call's `key`, the conditions also `status` and `body`.
    pub(super) fn read(node: &YamlNode, args: &Type, log: &mut ErrorLog) -> Option<Self> {
        let table = Table::open(node, &["request", "happened", "not_happened"], log)?;
        let scope = Scope::default().with("args", args.clone()).with("key", Type::Text);
        let request = table.get("request").and_then(|node| RestRequest::read(node, true, &scope, log));
        if table.get("request").is_none() {
            // Says that the key is missing.
            table.required::<YamlNode>("request", log);
        }
        let answered = scope.with("status", Type::Number).with("body", Type::Any);
        let happened = condition("happened", &table, &answered, log);
        let not_happened = condition("not_happened", &table, &answered, log);
        Some(Self { request: request?, happened: happened?, not_happened: not_happened? })
    }

    /// What an answer means; `outcome` is what the call would have returned with it.
    pub(super) fn meaning(&self, data: &Value, outcome: ToolOutcome) -> ProbeAnswer {
        let cannot = |detail: &str| ProbeAnswer::CannotTell { detail: detail.to_owned() };
        match (self.happened.judge(data), self.not_happened.judge(data)) {
            (Judgement::True, Judgement::True) => cannot("the server's answer fits both `happened` and `not_happened`"),
            (Judgement::True, _) => ProbeAnswer::Happened { outcome },
            (_, Judgement::True) => ProbeAnswer::DidNotHappen,
            (Judgement::False | Judgement::CannotTell(_), Judgement::False | Judgement::CannotTell(_)) => {
                cannot("the server's answer fits neither `happened` nor `not_happened`")
            }
        }
    }
}

fn condition(key: &str, table: &Table<'_>, scope: &Scope, log: &mut ErrorLog) -> Option<Expression> {
    let Some(node) = table.get(key) else {
        // Says that the key is missing.
        table.required::<String>(key, log);
        return None;
    };
    let text = String::read(node, log)?;
    let checked = Expression::parse(&text).map_err(|error| vec![error]);
    match checked.and_then(|own| own.check_condition(scope).map(|()| own)) {
        Ok(condition) => Some(condition),
        Err(errors) => {
            mistakes(node.place, &errors, log);
            None
        }
    }
}
