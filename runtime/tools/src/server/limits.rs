//! What a configuration says of a single tool of a server: the keys that every tool takes.

use std::time::Duration;

use provost_domain::claims::ClaimRule;
use provost_domain::tool::{EffectClass, Risk};
use provost_form::{At, ErrorLog, FromYaml, NodeKind, Table, YamlNode, words};
use serde_json::Value;

use super::rate::CallRate;
use crate::claim::{RepeatSection, TargetText, rule};

/// Longest time of one call: what takes longer is a job.
const TIMEOUT_MAX: Duration = Duration::from_mins(10);
/// Largest result that is kept, in bytes, and the smallest limit that leaves room for one.
const OUTPUT_MAX: usize = 1024 * 1024;
const OUTPUT_MIN: usize = 256;

words! {
    pub(super) struct EffectWord(EffectClass) = EffectClass::Unsafe;
    pub(super) struct RiskWord(Risk) = Risk::High;
}

/// A number of bytes: `8KiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ByteSize(usize);

impl ByteSize {
    fn parse(text: &str) -> Option<usize> {
        let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at_checked(split)?;
        let factor = match unit.trim() {
            "" | "B" => 1,
            "KiB" => 1024,
            "MiB" => 1024 * 1024,
            _ => return None,
        };
        number.parse::<usize>().ok()?.checked_mul(factor)
    }
}

impl FromYaml for ByteSize {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        let bytes = match &node.kind {
            NodeKind::Scalar(Value::String(text)) | NodeKind::Supplied(text) => Self::parse(text),
            NodeKind::Scalar(value) => value.as_u64().and_then(|bytes| usize::try_from(bytes).ok()),
            NodeKind::List(_) | NodeKind::Table(_) => None,
        };
        let bytes = bytes.filter(|bytes| (OUTPUT_MIN..=OUTPUT_MAX).contains(bytes));
        if bytes.is_none() {
            log.expected("a size", node, "write it with its unit, from 256B to 1MiB: 8KiB, 200KiB, 1MiB");
        }
        bytes.map(Self)
    }

    fn blank() -> Self {
        Self(OUTPUT_MIN)
    }
}

/// What is written about one tool.
#[derive(Debug, Clone, Default)]
pub(crate) struct ToolLimits {
    /// Its effect class, and where that stands.
    pub(super) effect: Option<At<EffectClass>>,
    pub(super) risk: Option<Risk>,
    pub(super) timeout: Option<Duration>,
    pub(super) output: Option<usize>,
    pub(super) rate: Option<CallRate>,
    pub(super) about: Option<String>,
    target: Option<TargetText>,
    repeat: Option<RepeatSection>,
}

impl ToolLimits {
    /// The keys of every tool.
    pub(super) const KEYS: [&'static str; 8] =
        ["effect", "risk", "timeout", "output", "rate", "target", "repeat", "about"];

    pub(super) fn read(table: &Table<'_>, log: &mut ErrorLog) -> Self {
        let effect: Option<At<EffectWord>> = table.optional("effect", log);
        let timeout: Option<At<Duration>> = table.optional("timeout", log);
        if let Some(timeout) = timeout.as_ref().filter(|timeout| !timeout.is_blank())
            && (timeout.value.is_zero() || timeout.value > TIMEOUT_MAX)
        {
            log.report(timeout.place, "a call takes more than no time and at most 10 minutes", "write 30s, or 5m");
        }
        Self {
            effect: effect
                .filter(|effect| !effect.is_blank())
                .map(|effect| At { value: effect.value.0, place: effect.place }),
            risk: table.optional("risk", log).map(|RiskWord(risk)| risk),
            timeout: timeout.map(|timeout| timeout.value),
            output: table.optional("output", log).map(|ByteSize(bytes)| bytes),
            rate: table.optional("rate", log),
            about: table.optional("about", log),
            target: table.optional("target", log),
            repeat: table.optional("repeat", log),
        }
    }

    /// What its calls act on, and how often.
    pub(super) fn claim(&self) -> ClaimRule {
        rule(self.target.as_ref(), self.repeat)
    }

    /// Refuses an effect class that is looser than the tool's own, and one that the tool cannot be asked for.
    pub(super) fn tightens(&self, own: EffectClass, probes: bool, log: &mut ErrorLog) {
        let Some(At { value, place }) = self.effect else { return };
        if strictness(value) < strictness(own) {
            let hint = format!("write {}, or remove the key", stricter(own).join(" or "));
            log.report(place, format!("the effect of this tool is `{}` and is loosened by nobody", word(own)), hint);
        } else if value == EffectClass::Probe && own != EffectClass::Probe && !probes {
            let hint = format!("write {}, or remove the key", stricter(own).join(" or "));
            log.report(place, "this tool cannot be asked whether a call happened", hint);
        }
    }
}

const fn strictness(effect: EffectClass) -> u8 {
    match effect {
        EffectClass::Read => 0,
        EffectClass::Idempotent => 1,
        EffectClass::Probe => 2,
        EffectClass::Unsafe => 3,
    }
}

const fn word(effect: EffectClass) -> &'static str {
    match effect {
        EffectClass::Read => "read",
        EffectClass::Idempotent => "idempotent",
        EffectClass::Probe => "probe",
        EffectClass::Unsafe => "unsafe",
    }
}

/// The words of the classes that a tool of this class may be given.
fn stricter(own: EffectClass) -> Vec<&'static str> {
    let all = [EffectClass::Read, EffectClass::Idempotent, EffectClass::Probe, EffectClass::Unsafe];
    let may = |effect: &EffectClass| {
        strictness(*effect) >= strictness(own) && (*effect != EffectClass::Probe || own == EffectClass::Probe)
    };
    all.into_iter().filter(may).map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_has_a_unit() {
        assert_eq!(
            ["8KiB", "256", "1 MiB", "300B"].map(ByteSize::parse),
            [Some(8192), Some(256), Some(1_048_576), Some(300)]
        );
        assert_eq!(["8KB", "KiB", "-1", "1.5KiB", "99999999999999999999MiB"].map(ByteSize::parse), [None; 5]);
    }
}
