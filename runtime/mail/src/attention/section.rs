//! The section `attention` of the configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::tz::TimeZone;
use provost_domain::attention::{AttentionRule, AttentionRules, DayHours, Escalation, NeedKind, RuleMatch};
use provost_domain::ids::PackName;
use provost_form::{At, ErrorLog, FromYaml, Period, Table, YamlNode, table, words};

words! { pub struct NeedWord(NeedKind) = NeedKind::Approval; }

table! {
    /// Whom `provost serve` tells what sessions need of people. Without rules nobody is told.
    #[derive(Debug, Clone)]
    pub struct AttentionConfig {
        /// The address by which people reach the page: links lead there.
        pub page: Option<PageAddress> = None,
        /// How long before it expires an approval is told once more.
        pub expiring: Period = Period(Duration::from_mins(10)),
        /// How long a server that fails is waited for before people are told.
        pub outage: Period = Period(Duration::from_mins(10)),
        /// The first that matches decides.
        pub rules: Vec<AttentionRuleConfig> = Vec::new(),
    }
}

table! {
    /// Whom some needs are told.
    #[derive(Debug, Clone)]
    pub struct AttentionRuleConfig {
        /// Which needs; all, where nothing is said.
        pub when: WhenConfig = WhenConfig::blank(),
        /// The contacts that are told at once.
        pub tell: At<Vec<At<String>>>,
        /// How long after the last message a need is told again.
        pub remind_after: Option<Period> = None,
        /// Who is told next, in this order.
        pub escalate: Vec<EscalationConfig> = Vec::new(),
        /// Hours in which nothing is told, except what expires within them.
        pub quiet: Option<Hours> = None,
    }
}

table! {
    /// Further contacts, told when nobody did anything for a while.
    #[derive(Debug, Clone)]
    pub struct EscalationConfig {
        /// How long after the first message.
        pub after: Period,
        /// The contacts that are told then.
        pub to: At<Vec<At<String>>>,
    }
}

table! {
    /// Which needs: all that is said must hold.
    #[derive(Debug, Clone)]
    pub struct WhenConfig {
        /// Only sessions of this pack.
        pub pack: Option<String> = None,
        /// Only needs of these kinds; all that wait for people without it.
        pub needs: Vec<NeedWord> = Vec::new(),
        /// Fields of the case, each with a value it must have, or with several.
        pub fields: BTreeMap<String, FieldValues> = BTreeMap::new(),
        /// Only within these hours.
        pub hours: Option<Hours> = None,
    }
}

/// One value, or a list of them.
#[derive(Debug, Clone, Default)]
pub struct FieldValues(Vec<String>);

impl FromYaml for FieldValues {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        if node.is_list() { Vec::read(node, log).map(Self) } else { String::read(node, log).map(|one| Self(vec![one])) }
    }

    fn blank() -> Self {
        Self::default()
    }
}

/// Hours of some days in a time zone: `{from: "22:00", to: "07:00", zone: Europe/Berlin}`.
#[derive(Debug, Clone)]
pub struct Hours(Option<DayHours>);

impl FromYaml for Hours {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        let table = Table::open(node, &["from", "to", "days", "zone"], log)?;
        let (from, to) = (table.required::<String>("from", log), table.required::<String>("to", log));
        let days = table.optional::<Vec<String>>("days", log).unwrap_or_default();
        let zone: At<String> = table.required("zone", log);
        if [&from, &to, &zone.value].into_iter().any(String::is_empty) {
            return Some(Self(None));
        }
        let Ok(zone) = TimeZone::get(&zone) else {
            let hint = "write a name as in /usr/share/zoneinfo: UTC, Europe/Berlin";
            log.report(zone.place, format!("the time zone `{}` is not known here", zone.value), hint);
            return None;
        };
        let refused = |error: provost_domain::attention::BadWindow| {
            log.report(node.place, error.to_string(), "write {from: \"22:00\", to: \"07:00\", zone: UTC}");
        };
        DayHours::new(&from, &to, &days, zone).map(|window| Self(Some(window))).map_err(refused).ok()
    }

    fn blank() -> Self {
        Self(None)
    }
}

/// An address of the web, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageAddress(pub String);

impl FromYaml for PageAddress {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        let text = String::read(node, log)?;
        let bare = text.trim_end_matches('/');
        let host = bare.strip_prefix("https://").or_else(|| bare.strip_prefix("http://"));
        let wanted =
            |host: &str| !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || "<>\"'|?#".contains(c));
        if host.is_some_and(wanted) {
            return Some(Self(bare.to_owned()));
        }
        log.report(node.place, "not an address of a page", "write `https://provost.example.org`");
        None
    }

    fn blank() -> Self {
        Self(String::new())
    }
}

impl AttentionConfig {
    /// Every list of contacts in it, to be checked against those there are.
    pub fn contacts(&self) -> impl Iterator<Item = &At<Vec<At<String>>>> {
        self.rules.iter().flat_map(|rule| rule.escalate.iter().map(|next| &next.to).chain([&rule.tell]))
    }

    /// The rules as the domain decides by them.
    pub fn rules(&self) -> AttentionRules {
        AttentionRules {
            rules: self.rules.iter().map(AttentionRuleConfig::rule).collect(),
            expiring: self.expiring.0,
            patience: self.outage.0,
        }
    }
}

impl AttentionRuleConfig {
    fn rule(&self) -> AttentionRule {
        let Self { when, tell, remind_after, escalate, quiet } = self;
        let window = |hours: &Option<Hours>| hours.as_ref().and_then(|hours| hours.0.clone());
        let values = |(name, values): (&String, &FieldValues)| (name.clone(), values.0.iter().cloned().collect());
        AttentionRule {
            matches: RuleMatch {
                pack: when.pack.as_ref().map(PackName::new),
                needs: when.needs.iter().map(|word| word.0).collect::<BTreeSet<_>>(),
                fields: when.fields.iter().map(values).collect(),
                hours: window(&when.hours),
            },
            tell: names(tell),
            remind_after: remind_after.map(|period| period.0),
            escalate: escalate.iter().map(|next| Escalation { after: next.after.0, to: names(&next.to) }).collect(),
            quiet: window(quiet),
        }
    }
}

fn names(list: &[At<String>]) -> Vec<String> {
    list.iter().map(|name| name.value.clone()).collect()
}

#[cfg(test)]
mod tests {
    use provost_form::parse;

    use super::*;

    fn read(text: &str) -> Result<AttentionConfig, String> {
        let mut log = ErrorLog::new("/etc/provost/provost.yaml".into());
        let node = parse(text, &mut log).unwrap();
        let config = AttentionConfig::read(&node, &mut log);
        let errors: Vec<String> = log.errors.iter().map(ToString::to_string).collect();
        if errors.is_empty() { Ok(config.unwrap()) } else { Err(errors.join("\n")) }
    }

    #[test]
    fn rules_are_read_as_they_are_written() {
        let config = read(
            "page: \"https://provost.example.org/\"\n\
             expiring: 5m\n\
             rules:\n\
             \x20 - when: {pack: p, needs: [approval, unknown_outcome], fields: {level: [a, b], place: c}}\n\
             \x20   tell: [ann]\n\
             \x20   remind_after: 10m\n\
             \x20   escalate: [{after: 30m, to: [lead]}]\n\
             \x20   quiet: {from: \"22:00\", to: \"07:00\", days: [sat, sun], zone: UTC}\n\
             \x20 - {tell: [desk]}\n",
        )
        .unwrap();
        assert_eq!(config.page, Some(PageAddress("https://provost.example.org".to_owned())));
        let AttentionRules { rules, expiring, patience } = config.rules();
        assert_eq!((expiring, patience, rules.len()), (Duration::from_mins(5), Duration::from_mins(10), 2));
        let first = &rules[0];
        assert_eq!(first.matches.needs, BTreeSet::from([NeedKind::Approval, NeedKind::UnknownOutcome]));
        assert_eq!(first.matches.fields["level"], BTreeSet::from(["a".to_owned(), "b".to_owned()]));
        assert_eq!(first.matches.fields["place"], BTreeSet::from(["c".to_owned()]));
        assert_eq!(
            (first.tell.as_slice(), first.remind_after),
            (&["ann".to_owned()][..], Some(Duration::from_mins(10)))
        );
        assert_eq!(first.escalate, [Escalation { after: Duration::from_mins(30), to: vec!["lead".to_owned()] }]);
        let days = ["sat".to_owned(), "sun".to_owned()];
        assert_eq!(first.quiet, Some(DayHours::new("22:00", "07:00", &days, TimeZone::UTC).unwrap()));
        assert!(rules[1].matches.needs.is_empty() && rules[1].quiet.is_none());
        let all: Vec<String> = config.contacts().flat_map(|list| names(list)).collect();
        assert_eq!(all, ["lead", "ann", "desk"]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, part) in [
            ("rules: [{when: {}}]", "the key `tell` is missing"),
            ("rules: [{tell: [a], when: {needs: [aproval]}}]", "did you mean `approval`?"),
            (
                "rules: [{tell: [a], quiet: {from: \"25:00\", to: \"07:00\", zone: UTC}}]",
                "`25:00` is not a time of day",
            ),
            (
                "rules: [{tell: [a], quiet: {from: \"22:00\", to: \"07:00\", zone: Mars/Base}}]",
                "`Mars/Base` is not known here",
            ),
            ("rules: [{tell: [a], quiet: {from: \"22:00\", to: \"07:00\"}}]", "the key `zone` is missing"),
            ("page: \"ftp://x\"", "not an address of a page"),
            ("page: \"https://x y\"", "not an address of a page"),
            ("rule: []", "did you mean `rules`?"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
