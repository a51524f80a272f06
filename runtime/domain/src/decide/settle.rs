//! A person settles what nobody could know.

use super::draft::Recorder;
use crate::event::{OutcomeSettled, Settlement};
use crate::ids::CallId;
use crate::principal::Principal;
use crate::refusal::Refusal;

pub(super) fn decide(
    recorder: &mut Recorder,
    by: &Principal,
    call: &CallId,
    settlement: &Settlement,
) -> Result<(), Refusal> {
    if !recorder.session.unknown().contains_key(call) {
        return Err(Refusal::NotInDoubt { call: call.clone() });
    }
    recorder.push(OutcomeSettled { call: call.clone(), by: by.clone(), settlement: settlement.clone() });
    Ok(())
}
