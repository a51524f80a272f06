//! A model's reply as it was meant: without its thinking, with the calls it wrote as text, and with the names of the tools
//! that were offered to it. Pure, and the same for every provider.

mod arguments;
mod bodies;
mod names;
mod thinking;
mod written;

use crate::model::{ModelReply, ToolOffer};
pub use names::resolve;
pub use thinking::without_thinking;
pub use written::{looks_like_a_call, written_calls};

/// The reply with what only one reading has made plain. Nothing is added that the model did not write.
#[must_use]
pub fn understood(mut reply: ModelReply, offers: &[ToolOffer]) -> ModelReply {
    let offered: Vec<&str> = offers.iter().map(|offer| offer.name.as_str()).collect();
    let said = without_thinking(&reply.text);
    if reply.calls.is_empty()
        && let Some((calls, rest)) = written_calls(&said, &offered)
    {
        reply.calls = calls;
        reply.text = rest.into();
    } else if *said != *reply.text {
        reply.text = said.into();
    }
    for call in &mut reply.calls {
        if let Some(name) = resolve(&call.tool, &offered) {
            name.clone_into(&mut call.tool);
        }
    }
    reply
}

#[cfg(test)]
mod tests;
