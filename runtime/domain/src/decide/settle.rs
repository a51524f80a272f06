//! A person settles what nobody could know.

use super::draft::Draft;
use crate::event::{OutcomeSettled, Settlement};
use crate::ids::{CallId, Principal};
use crate::refusal::Refusal;

pub(super) fn decide(
    draft: &mut Draft<'_>,
    by: &Principal,
    call: &CallId,
    settlement: &Settlement,
) -> Result<(), Refusal> {
    if !draft.session.unknown().contains_key(call) {
        return Err(Refusal::NotInDoubt { call: call.clone() });
    }
    draft.push(OutcomeSettled { call: call.clone(), by: by.clone(), settlement: settlement.clone() });
    Ok(())
}
