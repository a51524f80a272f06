//! Which sessions a kept answer speaks of.

use std::collections::BTreeSet;

use provost_domain::ids::SessionId;
use provost_domain::port::KeptAnswer;

/// Whether an answer is a refusal. It quotes what it refuses, of whichever session that is: nobody can say which.
pub(crate) fn is_refusal(answer: &KeptAnswer) -> bool {
    answer.status >= 400
}

/// The words of an answer that are a session's id, as bare hex digits, or may be its handle, which holds hyphens. None of a
/// refusal.
pub(crate) fn mentions(answer: &KeptAnswer) -> BTreeSet<String> {
    if is_refusal(answer) {
        return BTreeSet::new();
    }
    let body = String::from_utf8_lossy(&answer.body);
    let texts = [&*body, answer.location.as_deref().unwrap_or_default()];
    let words = texts.iter().flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_'));
    let named = |word: &str| match word.parse::<SessionId>() {
        Ok(id) => Some(hex(id)),
        Err(_) => word.contains('-').then(|| word.to_owned()),
    };
    words.filter_map(named).collect()
}

/// A session's id as bare hex digits.
pub(crate) fn hex(session: SessionId) -> String {
    session.uuid().as_simple().to_string()
}
