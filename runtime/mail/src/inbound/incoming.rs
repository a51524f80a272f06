//! A delivery as it came from the wire.

use super::formats::{DeliveryFormat, events};
use super::head::DeliveryHead;
use super::loose::text_of;
use super::mask::masked;

/// A delivery that was neither read nor stored. The key of its sender, a secret, stands in its body as a digest.
pub struct Incoming {
    pub(super) format: DeliveryFormat,
    /// Byte for byte what came, but for that digest.
    pub(super) body: Vec<u8>,
    /// What lets its sender in without a token.
    pub(super) key: Option<String>,
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming").field("format", &self.format).finish_non_exhaustive()
    }
}

impl Incoming {
    /// Takes a body from the wire with what the head of its request says of it: one delivery, or one for each event of a
    /// batch.
    pub fn with_head(format: DeliveryFormat, head: &DeliveryHead, body: &[u8]) -> Vec<Self> {
        if !format.keeps_head() {
            return vec![Self::new(format, body)];
        }
        let parts = match format {
            DeliveryFormat::Cloudevents => events(head, body),
            DeliveryFormat::Alertmanager
            | DeliveryFormat::Pagerduty
            | DeliveryFormat::PagerdutyV3
            | DeliveryFormat::Github
            | DeliveryFormat::Webhook(_)
            | DeliveryFormat::Schedule(_) => vec![(head.clone(), body.to_vec())],
        };
        parts.iter().map(|(head, body)| Self { format, body: head.before(body), key: None }).collect()
    }

    /// Takes a body from the wire. Where JSON has the key twice, the last one counts. Of a body with a key that is not
    /// UTF-8 its text is kept.
    pub fn new(format: DeliveryFormat, body: &[u8]) -> Self {
        let found = format.secret_member().map(|member| masked(&text_of(body), member));
        match found.filter(|(_, keys)| !keys.is_empty()) {
            Some((masked, mut keys)) => Self { format, body: masked.into_bytes(), key: keys.pop() },
            None => Self { format, body: body.to_vec(), key: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use provost_domain::ids::Digest;

    use super::*;

    #[track_caller]
    fn check(format: DeliveryFormat, body: &[u8], stored: &str, key: Option<&str>) {
        let incoming = Incoming::new(format, body);
        assert_eq!((String::from_utf8_lossy(&incoming.body).as_ref(), incoming.key.as_deref()), (stored, key));
    }

    #[test]
    fn only_a_format_whose_senders_have_keys_is_changed() {
        let pager = DeliveryFormat::Pagerduty;
        let digest = |key: &str| format!("\"sha256:{}\"", Digest::of(key.as_bytes()).hex());
        check(
            pager,
            br#"{"routing_key": "abc",  "x": "abcd"}"#,
            &format!(r#"{{"routing_key": {},  "x": "abcd"}}"#, digest("abc")),
            Some("abc"),
        );
        let twice = format!(r#"{{"routing_key":{},"routing_key":{}}}"#, digest("a"), digest("b"));
        check(pager, br#"{"routing_key":"a","routing_key":"b"}"#, &twice, Some("b"));
        check(pager, br#"{"routing_key": ""}"#, r#"{"routing_key": ""}"#, None);
        check(
            pager,
            b"{\"routing_key\":\"a\",\"x\":\"\xff\"}",
            &format!("{{\"routing_key\":{},\"x\":\"\u{fffd}\"}}", digest("a")),
            Some("a"),
        );
        check(DeliveryFormat::Alertmanager, br#"{"routing_key": "abc"}"#, r#"{"routing_key": "abc"}"#, None);
    }
}
