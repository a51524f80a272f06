//! Who sends, by a signature over the body as it came: HMAC-SHA256 with a secret that both sides have. Every secret is tried,
//! and compared in constant time.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use provost_domain::time::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

/// How far the time of a signed delivery may be off, either way: what the specification of Standard Webhooks recommends.
pub(super) const TOLERANCE: Duration = Duration::from_mins(5);
/// Most signatures of one delivery that are looked at: senders send two while they change their secret.
const SIGNATURES_MAX: usize = 8;
/// What the secrets of Standard Webhooks begin with; the rest is base64.
const SECRET_PREFIX: &str = "whsec_";

/// The value of a header by its name in small letters.
pub type ReadHeader<'a> = &'a dyn Fn(&str) -> Option<String>;

/// How the senders of a webhook sign.
#[derive(Debug, Clone)]
pub struct SignatureScheme {
    /// What is signed, and where the signature stands.
    pub form: SignatureForm,
    /// The secrets, by the name that their sender has in logs.
    pub secrets: BTreeMap<String, SecretString>,
}

/// What is signed, and where the signature stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureForm {
    /// A header has it after a prefix, in hex or base64; several are parted by commas.
    Header {
        /// The name of the header, in small letters.
        name: String,
        /// What the signature is preceded by, for example `sha256=`.
        prefix: String,
        /// The header of the time in seconds, in small letters; `TIME.BODY` is signed then, and else the body alone.
        timestamp: Option<String>,
    },
    /// As the specification of Standard Webhooks says: `ID.TIME.BODY`.
    StandardWebhooks,
}

/// Why nobody is known by a signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A header is missing.
    #[error("the header `{name}` is missing")]
    Missing {
        /// The name of the secret in the configuration.
        name: String,
    },
    /// The time is not a number of seconds.
    #[error("the header `{name}` must be the time in seconds since 1970")]
    Time {
        /// The name of the secret in the configuration.
        name: String,
    },
    /// The delivery is too old, or from the future.
    #[error("it was signed {off_s} s from now, and may be {} s off; check both clocks", TOLERANCE.as_secs())]
    Off {
        /// How far it is off.
        off_s: u64,
    },
    /// No secret makes this signature of this body.
    #[error("the signature in `{name}` fits no secret and this body")]
    Wrong {
        /// The header it stands in.
        name: String,
    },
}

impl SignatureForm {
    /// That of GitHub's webhooks.
    pub(super) fn github() -> Self {
        Self::header("x-hub-signature-256", "sha256=")
    }

    /// That of PagerDuty's webhooks, version 3: a list, of which other versions are ignored.
    pub(super) fn pagerduty() -> Self {
        Self::header("x-pagerduty-signature", "v1=")
    }

    fn header(name: &str, prefix: &str) -> Self {
        Self::Header { name: name.to_owned(), prefix: prefix.to_owned(), timestamp: None }
    }
}

impl SignatureScheme {
    /// The name of the sender whose secret signed this body. Takes the same time whichever secret it is.
    ///
    /// # Errors
    /// None did, or what is needed besides is missing or too old.
    pub(super) fn sender(&self, header: ReadHeader<'_>, body: &[u8], now: Timestamp) -> Result<&str, SignatureError> {
        let SignedRequest { name, before, signatures } = self.form.read(header, now)?;
        let mut found = 0;
        for (secret, place) in self.secrets.values().zip(1_u64..) {
            let own = self.form.mac(secret, before.as_bytes(), body);
            let mut same = Choice::from(0);
            for given in &signatures {
                same |= own.ct_eq(given);
            }
            found.conditional_assign(&place, same);
        }
        let index = usize::try_from(found).ok().and_then(|found| found.checked_sub(1));
        let sender = index.and_then(|index| self.secrets.keys().nth(index));
        sender.map(String::as_str).ok_or(SignatureError::Wrong { name })
    }
}

/// What a request says of its signature.
struct SignedRequest {
    /// The header that has it.
    name: String,
    /// What is signed before the body.
    before: String,
    signatures: Vec<[u8; 32]>,
}

impl SignatureForm {
    fn read(&self, header: ReadHeader<'_>, now: Timestamp) -> Result<SignedRequest, SignatureError> {
        let required = |name: &str| header(name).ok_or_else(|| SignatureError::Missing { name: name.to_owned() });
        match self {
            Self::Header { name, prefix, timestamp } => {
                let written = required(name)?;
                let before = match timestamp {
                    Some(timestamp) => format!("{}.", in_time(timestamp, &required(timestamp)?, now)?),
                    None => String::new(),
                };
                let signatures = written.split(',').filter_map(|one| one.trim().strip_prefix(prefix.as_str()));
                Ok(SignedRequest { name: name.clone(), before, signatures: codes(signatures) })
            }
            Self::StandardWebhooks => {
                let name = "webhook-signature";
                let (id, time, written) = (required("webhook-id")?, required("webhook-timestamp")?, required(name)?);
                let before = format!("{id}.{}.", in_time("webhook-timestamp", &time, now)?);
                let signatures = written.split_whitespace().filter_map(|one| one.strip_prefix("v1,"));
                Ok(SignedRequest { name: name.to_owned(), before, signatures: codes(signatures) })
            }
        }
    }

    /// The code of a body under a secret.
    fn mac(&self, secret: &SecretString, before: &[u8], body: &[u8]) -> [u8; 32] {
        let secret = secret.expose_secret();
        let coded = match self {
            Self::Header { .. } => None,
            Self::StandardWebhooks => {
                secret.strip_prefix(SECRET_PREFIX).and_then(|secret| STANDARD.decode(secret).ok())
            }
        };
        let key = coded.as_deref().unwrap_or(secret.as_bytes());
        // Any text is a key: one that were none would sign nothing.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
        mac.update(before);
        mac.update(body);
        mac.finalize().into_bytes().into()
    }
}

/// The time as it is written, if it is near enough.
fn in_time<'a>(name: &str, written: &'a str, now: Timestamp) -> Result<&'a str, SignatureError> {
    let written = written.trim();
    let seconds: i64 = written.parse().map_err(|_odd| SignatureError::Time { name: name.to_owned() })?;
    let off_s = seconds.abs_diff(now.micros().div_euclid(1_000_000));
    if off_s > TOLERANCE.as_secs() { Err(SignatureError::Off { off_s }) } else { Ok(written) }
}

/// The codes that are written in hex or base64; others fit nothing.
fn codes<'a>(written: impl Iterator<Item = &'a str>) -> Vec<[u8; 32]> {
    let code = |text: &str| hex(text).or_else(|| STANDARD.decode(text).ok()?.try_into().ok());
    written.take(SIGNATURES_MAX).filter_map(|text| code(text.trim())).collect()
}

fn hex(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? * 16 + digit(*low)?),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(pair).collect();
    bytes?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000;

    fn scheme(form: SignatureForm, secrets: &[(&str, &str)]) -> SignatureScheme {
        let secrets = secrets.iter().map(|(name, secret)| ((*name).to_owned(), SecretString::from(*secret)));
        SignatureScheme { form, secrets: secrets.collect() }
    }

    fn sender(scheme: &SignatureScheme, headers: &[(&str, &str)], body: &str) -> Result<String, SignatureError> {
        let header = |name: &str| headers.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).to_owned());
        scheme.sender(&header, body.as_bytes(), Timestamp::from_micros(NOW * 1_000_000)).map(str::to_owned)
    }

    fn wrong(name: &str) -> Result<String, SignatureError> {
        Err(SignatureError::Wrong { name: name.to_owned() })
    }

    /// The example in GitHub's documentation.
    #[test]
    fn the_documented_signature_is_known_and_nothing_near_it() {
        const CODE: &str = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let scheme = scheme(SignatureForm::github(), &[("first", "other"), ("org", "It's a Secret to Everybody")]);
        let check = |value: &str, body: &str| sender(&scheme, &[("x-hub-signature-256", value)], body);
        assert_eq!(check(&format!("sha256={CODE}"), "Hello, World!"), Ok("org".to_owned()));
        assert_eq!(check(&format!("sha256={}", CODE.to_uppercase()), "Hello, World!"), Ok("org".to_owned()));
        for (value, body) in [
            (format!("sha256={CODE}"), "Hello, World?"),
            (CODE.to_owned(), "Hello, World!"),
            (format!("sha1={CODE}"), "Hello, World!"),
            (format!("sha256={}", CODE.get(2..).unwrap()), "Hello, World!"),
            (format!("sha256=00{}", CODE.get(2..).unwrap()), "Hello, World!"),
            (String::new(), "Hello, World!"),
        ] {
            assert_eq!(check(&value, body), wrong("x-hub-signature-256"), "{value} {body}");
        }
        let missing = SignatureError::Missing { name: "x-hub-signature-256".to_owned() };
        assert_eq!(sender(&scheme, &[], "Hello, World!"), Err(missing));
        let none = SignatureScheme { secrets: BTreeMap::new(), ..scheme.clone() };
        let header = [("x-hub-signature-256", "sha256=00")];
        assert_eq!(sender(&none, &header, ""), wrong("x-hub-signature-256"), "without secrets nobody is known");
    }

    #[test]
    fn of_a_list_one_of_the_right_version_is_enough() {
        // Made with `printf '{"a":1}' | openssl dgst -sha256 -hmac s3cret`, and with the secret `other`.
        const CODE: &str = "5910e62016ef5034272c926c27071992a465c2335cecf41851bda071577f4f6d";
        const OTHER: &str = "6d5318f92e5561f77c1b686ef4a062a4a6504dcd982edac901b8e395de2db6e4";
        let pager = scheme(SignatureForm::pagerduty(), &[("pager", "s3cret")]);
        let check = |value: &str| sender(&pager, &[("x-pagerduty-signature", value)], "{\"a\":1}");
        for value in [format!("v1={CODE}"), format!("v1={OTHER},v1={CODE}"), format!("v2=x, v1={CODE}")] {
            assert_eq!(check(&value), Ok("pager".to_owned()), "{value}");
        }
        for value in [format!("v2={CODE}"), format!("v1={OTHER}"), CODE.to_owned()] {
            assert_eq!(check(&value), wrong("x-pagerduty-signature"), "{value}");
        }
    }

    /// The example of the specification of Standard Webhooks.
    #[test]
    fn a_standard_webhook_signs_its_id_its_time_and_its_body() {
        let standard = scheme(SignatureForm::StandardWebhooks, &[("shop", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]);
        let body = r#"{"test": 2432232314}"#;
        let at = |time: &str, id: &str, signature: &str, now: i64| {
            let header = |name: &str| match name {
                "webhook-id" => Some(id.to_owned()),
                "webhook-timestamp" => Some(time.to_owned()),
                "webhook-signature" => Some(signature.to_owned()),
                _ => None,
            };
            standard.sender(&header, body.as_bytes(), Timestamp::from_micros(now * 1_000_000)).map(str::to_owned)
        };
        let (time, id) = ("1614265330", "msg_p5jXN8AQM9LWM0D4loKWxJek");
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        let now = 1_614_265_330;
        assert_eq!(at(time, id, signature, now), Ok("shop".to_owned()));
        assert_eq!(at(time, id, &format!("v1a,x v1,AAAA {signature}"), now + 300), Ok("shop".to_owned()));
        assert_eq!(at(time, "msg_other", signature, now), wrong("webhook-signature"));
        assert_eq!(at("1614265331", id, signature, now), wrong("webhook-signature"));
        assert_eq!(at(time, id, signature, now + 301), Err(SignatureError::Off { off_s: 301 }));
        assert_eq!(at(time, id, signature, now - 301), Err(SignatureError::Off { off_s: 301 }));
        let odd = Err(SignatureError::Time { name: "webhook-timestamp".to_owned() });
        assert_eq!(at("soon", id, signature, now), odd);
    }

    #[test]
    fn a_signed_time_is_part_of_what_is_signed() {
        // Made with `printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac "It's a Secret to Everybody"`.
        const CODE: &str = "51538ab6f6314bb1f45de59d49edd93447bd4ca11fd52ee2fc1bb150735de0c6";
        let form = SignatureForm::Header {
            name: "x-signature".to_owned(),
            prefix: String::new(),
            timestamp: Some("x-time".to_owned()),
        };
        let timed = scheme(form, &[("shop", "It's a Secret to Everybody")]);
        let check = |time: &str| sender(&timed, &[("x-signature", CODE), ("x-time", time)], "{\"a\":1}");
        assert_eq!(check("1700000000"), Ok("shop".to_owned()));
        assert_eq!(check("1700000001"), wrong("x-signature"));
        assert_eq!(check("1699999699"), Err(SignatureError::Off { off_s: 301 }));
        let missing = Err(SignatureError::Missing { name: "x-time".to_owned() });
        assert_eq!(sender(&timed, &[("x-signature", CODE)], "{\"a\":1}"), missing);
    }
}
