//! Tokens that were used.

use provost_domain::model::{Arguments, ProposedCall};
use serde_json::Value;

/// Bytes of what was said.
pub(crate) fn length(text: &str, calls: &[ProposedCall]) -> usize {
    let of_call = |call: &ProposedCall| {
        let args = match &*call.args {
            Arguments::Json(value) => value.to_string().len(),
            Arguments::Broken(text) => text.len(),
        };
        call.tool.len() + args
    };
    text.len() + calls.iter().map(of_call).sum::<usize>()
}

/// A whole number of tokens, also one that is written with a fraction of nothing.
pub(crate) fn count(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| {
        let float = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
        (float >= 0.0 && float.fract() == 0.0).then(|| format!("{float:.0}").parse().ok())?
    })
}
