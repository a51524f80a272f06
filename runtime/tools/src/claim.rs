//! What tools act on and how often, as a section of the configuration says it.

use provost_domain::claims::{ClaimRule, ClaimTarget, Repeat, TargetHole};
use provost_form::{Count, ErrorLog, FromYaml, Period, YamlNode, table};

/// The key `target`: `"{{ args.environment }}/{{ args.service }}"`.
#[derive(Debug, Clone)]
pub(crate) struct TargetText(Option<ClaimTarget>);

impl FromYaml for TargetText {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        let text = String::read(node, log)?;
        let target = ClaimTarget::parse(&text).map_err(|error| {
            log.report(node.place, error.to_string(), "for example \"{{ args.environment }}/{{ args.service }}\"");
        });
        let target = target.ok()?;
        let field = target.holes().find_map(|hole| match hole {
            TargetHole::Field(name) => Some(name.clone()),
            TargetHole::Argument(_) => None,
        });
        if let Some(name) = field {
            let hint = "a tool serves every pack: read its arguments, or leave `target` to the pack";
            log.report(node.place, format!("a tool's target reads no `fields.{name}`"), hint);
            return None;
        }
        Some(Self(Some(target)))
    }

    fn blank() -> Self {
        Self(None)
    }
}

table! {
    /// The key `repeat`.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct RepeatSection {
        /// How often a tool may act on one target, over all sessions.
        max: Count<1>,
        /// Within which time.
        within: Period,
    }
}

/// What a section says of all its tools.
pub(crate) fn rule(target: Option<&TargetText>, repeat: Option<RepeatSection>) -> ClaimRule {
    let repeat = repeat.map_or_else(Repeat::default, |repeat| Repeat { max: repeat.max.0, within: repeat.within.0 });
    ClaimRule { target: target.and_then(|target| target.0.clone()), repeat }
}
