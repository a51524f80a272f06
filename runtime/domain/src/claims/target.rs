//! What a call acts on, as a configuration words it: `{{ args.environment }}/{{ args.service }}`.

use serde::Serialize;
use serde_json::Value;

use super::key::ClaimKey;
use crate::condition::lookup;

/// One value that a target reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum TargetHole {
    /// An argument of the call, `args.NAME`.
    Argument(String),
    /// A field of the session, `fields.NAME`.
    Field(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
enum TargetPiece {
    Text(String),
    Hole(TargetHole),
}

/// What a call acts on: an environment and a component, each of text and holes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClaimTarget {
    environment: Vec<TargetPiece>,
    component: Vec<TargetPiece>,
}

/// A text that names no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTarget {
    /// It has no `/` outside its holes.
    #[error("a target is `ENVIRONMENT/COMPONENT`; write `-` for an environment that there is not")]
    Parts,
    /// It reads something that a target cannot.
    #[error("`{0}` is not read here; a target reads `args.NAME` and `fields.NAME`")]
    Hole(String),
    /// A hole does not end.
    #[error("`{{{{` without `}}}}`")]
    Open,
}

impl ClaimTarget {
    /// Reads a target.
    ///
    /// # Errors
    /// It has not two parts, or a hole reads something else than an argument or a field.
    pub fn parse(text: &str) -> Result<Self, InvalidTarget> {
        let (mut environment, mut component) = (Vec::new(), Vec::new());
        let (mut rest, mut parted) = (text, false);
        while !rest.is_empty() {
            let (plain, hole) = rest.split_once("{{").map_or((rest, None), |(plain, hole)| (plain, Some(hole)));
            let (first, second) = match plain.split_once('/').filter(|_| !parted) {
                Some((first, second)) => (first, Some(second)),
                None => (plain, None),
            };
            let side = if parted { &mut component } else { &mut environment };
            side.push(TargetPiece::Text(first.to_owned()));
            if let Some(second) = second {
                parted = true;
                component.push(TargetPiece::Text(second.to_owned()));
            }
            let Some(hole) = hole else { break };
            let (name, after) = hole.split_once("}}").ok_or(InvalidTarget::Open)?;
            let side = if parted { &mut component } else { &mut environment };
            side.push(TargetPiece::Hole(TargetHole::parse(name.trim())?));
            rest = after;
        }
        if parted { Ok(Self { environment, component }) } else { Err(InvalidTarget::Parts) }
    }

    /// The target of fields; without an environment it is `-`.
    pub fn of_fields(environment: Option<&str>, component: &str) -> Self {
        let field = |name: &str| TargetPiece::Hole(TargetHole::Field(name.to_owned()));
        Self { environment: environment.into_iter().map(field).collect(), component: vec![field(component)] }
    }

    /// The values it reads.
    pub fn holes(&self) -> impl Iterator<Item = &TargetHole> {
        self.environment.iter().chain(&self.component).filter_map(|piece| match piece {
            TargetPiece::Hole(hole) => Some(hole),
            TargetPiece::Text(_) => None,
        })
    }

    /// The key of a call with these arguments, of a session with these fields. A value that is not there reads as nothing.
    pub fn key(&self, args: &Value, fields: &Value) -> ClaimKey {
        let part = |pieces: &[TargetPiece]| -> String {
            let text = |piece: &TargetPiece| match piece {
                TargetPiece::Text(text) => text.clone(),
                TargetPiece::Hole(TargetHole::Argument(name)) => word(lookup(args, name)),
                TargetPiece::Hole(TargetHole::Field(name)) => word(lookup(fields, name)),
            };
            pieces.iter().map(text).collect()
        };
        ClaimKey::of(&part(&self.environment), &part(&self.component))
    }
}

impl TargetHole {
    fn parse(name: &str) -> Result<Self, InvalidTarget> {
        let plain = |rest: &str| !rest.is_empty() && rest.chars().all(|c| c.is_alphanumeric() || "_.-".contains(c));
        let own = |prefix: &str| name.strip_prefix(prefix).filter(|rest| plain(rest)).map(str::to_owned);
        let hole = own("args.").map(Self::Argument).or_else(|| own("fields.").map(Self::Field));
        hole.ok_or_else(|| InvalidTarget::Hole(name.chars().take(80).collect()))
    }

    /// The name of the argument or field, without what follows its first dot.
    pub fn name(&self) -> &str {
        let (Self::Argument(name) | Self::Field(name)) = self;
        name.split('.').next().unwrap_or_default()
    }
}

/// A value as a part of a key.
fn word(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
        Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => String::new(),
    }
}
