//! A delivery as it came from the wire.

use super::formats::DeliveryFormat;

/// A delivery that was neither read nor stored. The key of its sender, a secret, stands in its body as stars.
pub struct Incoming {
    pub(super) format: DeliveryFormat,
    /// Byte for byte what came, but for the stars.
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
    /// Takes a body from the wire. Where JSON has the key twice, the last one counts.
    pub fn new(format: DeliveryFormat, body: &[u8]) -> Self {
        let mut keys = format.sender_keys(body);
        keys.retain(|key| !key.is_empty());
        let masked = std::str::from_utf8(body).ok().filter(|_| !keys.is_empty()).map(|text| {
            let mask = |text: String, key: &String| text.replace(key, &"*".repeat(key.len()));
            keys.iter().fold(text.to_owned(), mask).into_bytes()
        });
        Self { format, body: masked.unwrap_or_else(|| body.to_vec()), key: keys.pop() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(format: DeliveryFormat, body: &str, masked: &str, key: Option<&str>) {
        let incoming = Incoming::new(format, body.as_bytes());
        assert_eq!((String::from_utf8_lossy(&incoming.body).as_ref(), incoming.key.as_deref()), (masked, key));
    }

    #[test]
    fn the_key_of_the_sender_is_masked_wherever_it_stands_and_nothing_else_changes() {
        let pager = DeliveryFormat::Pagerduty;
        check(pager, r#"{"routing_key": "abc",  "x": "abcd"}"#, r#"{"routing_key": "***",  "x": "***d"}"#, Some("abc"));
        check(pager, r#"{"routing_key":"a","routing_key":"b"}"#, r#"{"routing_key":"*","routing_key":"*"}"#, Some("b"));
        check(pager, r#"{"routing_key": ""}"#, r#"{"routing_key": ""}"#, None);
        check(pager, r#"{"routing_key": "abc""#, r#"{"routing_key": "abc""#, None);
        check(DeliveryFormat::Alertmanager, r#"{"routing_key": "abc"}"#, r#"{"routing_key": "abc"}"#, None);
    }
}
