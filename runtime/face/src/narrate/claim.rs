//! Terminal claims.

use provost_domain::event::{ClaimRaised, ClaimRefused, ConfidenceMismatched};

use super::detail::Detail;
use super::narration::{Level, Narration, Tone};

pub(super) fn raised(e: &ClaimRaised) -> Narration {
    Narration::new(Level::Call, Tone::Calm, "⚑", "Claims")
        .name(e.tool.as_str())
        .by(&e.by)
        .key(Detail::value("arguments", &e.args))
}

pub(super) fn refused(e: &ClaimRefused) -> Narration {
    Narration::new(Level::Call, Tone::Warn, "⊘", "Claim refused:").name(e.tool.as_str()).text(e.refusal.to_string())
}

pub(super) fn confidence_mismatched(e: &ConfidenceMismatched) -> Narration {
    let text = format!("{:.2} in the call, {:.2} in the report; the call's counts", e.argument, e.envelope);
    Narration::new(Level::Call, Tone::Warn, "≠", "Two confidences:").text(text)
}
