//! What the head of a request says of its body. Where a body alone does not say what it is, its head is stored as a line before
//! it, so that a delivery can be read again; the body follows byte for byte.

use std::collections::BTreeMap;

use super::loose::shortened;

/// What the line of a head begins with. No JSON does.
const PREFIX: &str = "provost-head ";
/// The headers that are kept, besides those of `CloudEvents`.
const KEPT: [&str; 6] =
    ["content-type", "idempotency-key", "webhook-id", "x-github-delivery", "x-github-event", "x-webhook-id"];
/// What the attributes of a `CloudEvent` begin with.
const EVENT: &str = "ce-";
/// Most headers that are kept, and the longest value of one, in characters.
const HEADERS_MAX: usize = 40;
const VALUE_MAX: usize = 1024;

/// The headers that say what a body is, by their names in small letters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryHead(BTreeMap<String, String>);

impl DeliveryHead {
    /// Keeps what is known of the headers of a request. What lets a sender in is not among it.
    pub fn new<'a>(headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let own = headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), shortened(value, VALUE_MAX)));
        let known = own.filter(|(name, _)| KEPT.contains(&name.as_str()) || name.starts_with(EVENT));
        Self(known.take(HEADERS_MAX).collect())
    }

    /// The value of a header by its name in small letters.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The attributes of a `CloudEvent`, without their prefix.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|(name, value)| Some((name.strip_prefix(EVENT)?, value.as_str())))
    }

    /// A body with its head before it.
    pub(super) fn before(&self, body: &[u8]) -> Vec<u8> {
        let mut stored = format!("{PREFIX}{}\n", serde_json::json!(self.0)).into_bytes();
        stored.extend_from_slice(body);
        stored
    }

    /// What is stored of a delivery, parted into its head and its body. A body that was stored without a head has none.
    pub(super) fn split(stored: &[u8]) -> (Self, &[u8]) {
        let read = || {
            let rest = stored.strip_prefix(PREFIX.as_bytes())?;
            let end = rest.iter().position(|byte| *byte == b'\n')?;
            let (line, body) = rest.split_at_checked(end)?;
            Some((Self(serde_json::from_slice(line).ok()?), body.get(1..)?))
        };
        read().unwrap_or((Self::default(), stored))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_stored_before_its_body_and_comes_back_with_it() {
        let head = DeliveryHead::new([
            ("X-GitHub-Event", "push"),
            ("CE-Type", "a\nb"),
            ("Authorization", "Bearer hush"),
            ("X-Hub-Signature-256", "sha256=hush"),
        ]);
        for body in [&b"{}"[..], b"", b"two\nlines\n", b"\xff"] {
            let stored = head.before(body);
            assert!(!String::from_utf8_lossy(&stored).contains("hush"));
            let (own, rest) = DeliveryHead::split(&stored);
            assert_eq!((&own, rest), (&head, body));
        }
        assert_eq!((head.get("x-github-event"), head.attributes().next()), (Some("push"), Some(("type", "a\nb"))));
    }

    #[test]
    fn what_has_no_head_is_all_body() {
        for stored in [&b"{\"a\": 1}"[..], b"", b"provost-head {", b"provost-head nonsense\n{}"] {
            assert_eq!(DeliveryHead::split(stored), (DeliveryHead::default(), stored));
        }
    }

    #[test]
    fn a_head_is_bounded() {
        let names: Vec<String> = (0..100).map(|n| format!("ce-{n}")).collect();
        let long = "x".repeat(5000);
        let head = DeliveryHead::new(names.iter().map(|name| (name.as_str(), long.as_str())));
        assert_eq!((head.0.len(), head.0.values().map(|value| value.chars().count()).max()), (40, Some(1024)));
    }
}
