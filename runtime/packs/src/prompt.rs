//! Prompts: front matter and shared fragments.

use std::sync::LazyLock;

use regex::Regex;

use crate::agent::{Fragments, unknown_fragment};
use crate::error::PackError;
use crate::form::{Log, Read as _, table};
use crate::node::Place;
use crate::source::{self, Source, VARIABLE, VARIABLE_HINT};

/// `{{> NAME}}`: a shared fragment stands here.
static INCLUDE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\{\{>\s*([^}\s]*)\s*\}\}").ok());

table! {
    /// What the front matter of a `SKILL.md` may say; it is for people and other readers, the model does not see it.
    #[derive(Debug)]
    struct FrontMatter {
        name: Option<String> = None,
        description: Option<String> = None,
    }
}

/// A prompt with its fragments in place.
#[derive(Debug)]
pub(crate) struct Composed {
    pub(crate) text: String,
    pub(crate) fragments: Vec<Source>,
}

/// Takes the front matter off and puts the fragments in.
pub(crate) fn compose(skill: &Source, fragments: &Fragments, errors: &mut Vec<PackError>) -> Composed {
    let (front, start) = front_matter(&skill.text);
    if let Some(front) = front {
        errors.extend(check_front_matter(skill, front));
    }
    let body = skill.text.get(start..).unwrap_or_default();
    errors.extend(refuse_variables(skill));
    let mut composed = Composed { text: String::with_capacity(body.len()), fragments: Vec::new() };
    let mut rest = 0;
    for include in INCLUDE.iter().flat_map(|include| include.captures_iter(body)) {
        let (Some(whole), Some(name)) = (include.get(0), include.get(1)) else { continue };
        composed.text.push_str(body.get(rest..whole.start()).unwrap_or_default());
        rest = whole.end();
        if let Some(fragment) = fragments.get(name.as_str()) {
            composed.text.push_str(fragment.text.trim());
            composed.fragments.push(fragment.clone());
        } else {
            let place = Place::of(&skill.text, start + name.start());
            errors.push(unknown_fragment(skill, place, name.as_str(), fragments));
        }
    }
    composed.text.push_str(body.get(rest..).unwrap_or_default());
    composed.text = composed.text.trim().to_owned();
    composed
}

/// What a fragment may not hold: variables, or fragments of its own.
pub(crate) fn check_fragment(fragment: &Source) -> Vec<PackError> {
    let mut errors = refuse_variables(fragment);
    let includes = INCLUDE.iter().flat_map(|include| include.find_iter(&fragment.text));
    errors.extend(includes.map(|include| {
        let place = Place::of(&fragment.text, include.start());
        fragment.error(place, "a fragment includes no other", "include both in the prompt")
    }));
    errors
}

/// The front matter, if there is one, and where the prompt begins.
fn front_matter(text: &str) -> (Option<&str>, usize) {
    let mut at = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let fence = line.trim_end() == "---";
        if number == 0 && !fence {
            return (None, 0);
        }
        at += line.len();
        if number > 0 && fence {
            let front = text.get(..at - line.len()).and_then(|front| front.strip_prefix("---"));
            return (front, at);
        }
    }
    (None, 0)
}

/// The front matter keeps its leading line end, so that its places are the file's.
fn check_front_matter(skill: &Source, front: &str) -> Vec<PackError> {
    let mut log = Log::new(skill.path.clone());
    match source::parse(front) {
        Ok(tree) => drop(FrontMatter::read(&tree, &mut log)),
        Err(error) => log.errors.push(PackError { file: skill.path.clone(), ..error }),
    }
    log.errors
}

fn refuse_variables(source: &Source) -> Vec<PackError> {
    let found = source.text.match_indices("${");
    found.map(|(at, _)| source.error(Place::of(&source.text, at), VARIABLE, VARIABLE_HINT)).collect()
}
