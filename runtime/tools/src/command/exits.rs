//! What an exit code says of a command: it worked, it surely did nothing, or it failed and said so.

use provost_expr::{Expression, Judgement, Scope, Type};
use provost_form::{ErrorLog, FromYaml, YamlNode};
use serde_json::json;

use crate::holes::mistakes;

/// Some of the 256 exit codes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ExitSet(Vec<bool>);

impl ExitSet {
    fn contains(&self, code: i32) -> bool {
        usize::try_from(code).ok().and_then(|code| self.0.get(code)).copied().unwrap_or(false)
    }
}

impl FromYaml for ExitSet {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        const HINT: &str = "write a condition on `exit`, such as `exit in [0, 1]`";
        let text = String::read(node, log)?;
        let scope = Scope::default().with("exit", Type::Number);
        let checked = Expression::parse(&text).map_err(|error| vec![error]);
        let checked = checked.and_then(|own| own.check_condition(&scope).map(|()| own));
        let condition = match checked {
            Ok(condition) => condition,
            Err(errors) => {
                mistakes(node.place, &errors, log);
                return None;
            }
        };
        let judged = (0..=255).map(|exit| match condition.judge(&json!({ "exit": exit })) {
            Judgement::True => Ok(true),
            Judgement::False => Ok(false),
            Judgement::CannotTell(why) => Err(why),
        });
        match judged.collect::<Result<Vec<bool>, _>>() {
            Ok(all) if all.contains(&true) => Some(Self(all)),
            Ok(_) => {
                log.report(node.place, "no exit code from 0 to 255 fulfils this", HINT);
                None
            }
            Err(why) => {
                log.report(node.place, format!("not a condition on `exit`: {why}"), HINT);
                None
            }
        }
    }

    fn blank() -> Self {
        Self(Vec::new())
    }
}

/// What an exit code says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExitWord {
    /// The command did what it was asked to do.
    Worked,
    /// It surely did nothing.
    Refused,
    /// It was carried out and failed.
    Failed,
}

/// What the exit codes of one command say.
#[derive(Debug, Clone)]
pub(super) struct ExitRules {
    ok: Option<ExitSet>,
    refused: Option<ExitSet>,
}

impl ExitRules {
    /// Reads the keys `ok` and `refused` of an entry.
    pub(super) fn read(node: &YamlNode, log: &mut ErrorLog) -> Self {
        let mut set = |key: &str| node.get(key).and_then(|node| ExitSet::read(node, log));
        let own = Self { ok: set("ok"), refused: set("refused") };
        let both = |code: &i32| own.is_ok(*code) && own.refused.as_ref().is_some_and(|refused| refused.contains(*code));
        if let (Some(code), Some(place)) = ((0..=255).find(both), node.get("refused").map(|node| node.place)) {
            let hint = "take it out of `refused`, or of `ok`, which is `exit == 0` where it is not written";
            log.report(place, format!("exit code {code} is both a success and a refusal"), hint);
        }
        own
    }

    fn is_ok(&self, code: i32) -> bool {
        self.ok.as_ref().map_or(code == 0, |ok| ok.contains(code))
    }

    pub(super) fn word(&self, code: i32) -> ExitWord {
        if self.is_ok(code) {
            ExitWord::Worked
        } else if self.refused.as_ref().is_some_and(|refused| refused.contains(code)) {
            ExitWord::Refused
        } else {
            ExitWord::Failed
        }
    }
}
