//! Where sessions go: the entry, the dispatch rules, and agents nothing leads to.

use std::collections::BTreeSet;

use super::condition;
use super::facts::{PackFacts, is_plain};
use super::scopes;
use provost_form::{At, ErrorLog, nearest};

/// The word of `next` that ends a session.
pub(crate) const END: &str = "end";
/// What dispatch rules look at.
const FACTS: [&str; 5] = ["signal", "agent", "confidence", "fields", "retries"];

pub(super) fn check(facts: PackFacts<'_>, log: &mut ErrorLog) {
    let raw = facts.raw;
    if !raw.pack.is_blank() && !is_plain(&raw.pack, "_-") {
        log.report(raw.pack.place, "not a pack's name", "use a-z, 0-9, _ and -");
    }
    let is_prefix = raw.handle.len() <= 16 && raw.handle.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    if !raw.handle.is_blank() && !is_prefix {
        log.report(raw.handle.place, "not a handle's prefix", "use A-Z and 0-9, at most 16");
    }
    if let Some(title) = &raw.title {
        scopes::template(title, &facts.title_scope(), log);
    }
    facts.known_agent(&raw.entry, &[], log);
    for rule in raw.dispatch.iter().flat_map(|rules| &rules.value) {
        facts.known_agent(&rule.next, &[END], log);
        if let Some(text) = rule.when.expression() {
            scopes::condition(text, &facts.route_scope(None), log);
        }
        let Some(comparisons) = rule.when.comparisons() else { continue };
        condition::check(comparisons, log);
        for path in comparisons.iter().map(|condition| &condition.path).filter(|path| !path.is_blank()) {
            let (first, rest) = path.split_once('.').unwrap_or((path, ""));
            if !FACTS.contains(&first) {
                log.report(path.place, format!("a dispatch rule sees no `{first}`"), nearest(first, FACTS));
            } else if first == "fields" && !rest.is_empty() {
                facts.known_path(rest, path.place, log);
            }
        }
    }
    for (name, roster) in raw.rosters.iter().filter(|(_, roster)| !roster.is_blank() && roster.is_empty()) {
        log.report(roster.place, format!("the roster `{}` allows nothing", name.value), "write its values");
    }
}

/// Whether no route leads to an agent. What could not be read may lead anywhere.
pub(super) fn is_lost(facts: PackFacts<'_>, name: &str) -> bool {
    let raw = facts.raw;
    let rules = raw.dispatch.iter().flat_map(|rules| &rules.value);
    let starts = rules.map(|rule| &rule.next).chain([&raw.entry]);
    let mut unclear = raw.dispatch.as_ref().is_some_and(At::is_blank);
    let mut open: Vec<_> = starts.collect();
    let mut reached = BTreeSet::new();
    while let Some(next) = open.pop() {
        // A name that leads nowhere is a mistake of its own, and may have meant any agent.
        unclear |= next.is_blank() || (next.as_str() != END && !facts.names.contains(&next.value));
        if reached.insert(next.as_str())
            && let Some(agent) = facts.agent(next)
        {
            unclear |= agent.raw.routes.is_blank();
            open.extend(agent.raw.routes.iter().filter_map(|route| route.next.as_ref()));
        } else {
            unclear |= facts.names.contains(&next.value) && facts.agent(next).is_none();
        }
    }
    !unclear && !reached.contains(name)
}
