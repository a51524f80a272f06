//! The operator's words, where they were asked for.

use super::draft::Draft;
use super::{claim, ended, route};
use crate::event::OperatorSpoke;
use crate::ids::Principal;
use crate::refusal::Refusal;

pub(super) fn decide(draft: &mut Draft<'_>, by: &Principal, text: &str) -> Result<(), Refusal> {
    if draft.session.status().is_end() {
        return Err(ended(draft.session.status()));
    }
    claim::none_open(draft, "speak")?;
    let asked = draft.session.operator().ok_or(Refusal::NobodyAsked)?.clone();
    draft.push(OperatorSpoke { by: by.clone(), text: text.to_owned() });
    route::follow(draft, &asked.from, &asked.target);
    Ok(())
}
