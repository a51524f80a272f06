//! The operator's words, where they were asked for.

use super::draft::Draft;
use super::refuse::{ended, while_a_claim_is_open};
use crate::event::OperatorSpoke;
use crate::principal::Principal;
use crate::refusal::Refusal;

pub(super) fn decide(draft: &mut Draft<'_>, by: &Principal, text: &str) -> Result<(), Refusal> {
    if draft.session.status().is_end() {
        return Err(ended(draft.session.status()));
    }
    while_a_claim_is_open(&draft.session, "speak")?;
    if draft.session.operator().is_none() {
        return Err(Refusal::NobodyAsked);
    }
    draft.push(OperatorSpoke { by: by.clone(), text: text.to_owned() });
    Ok(())
}
