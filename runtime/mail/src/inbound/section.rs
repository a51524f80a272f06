//! The section `intake` of the configuration.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use provost_domain::ids::{Digest, PackName};
use provost_form::{Count, ErrorLog, FromYaml, ReadSecret, SecretError, SecretPlace, YamlNode, table};
use secrecy::{ExposeSecret as _, SecretString};

use super::formats::DeliveryFormat;
use super::settings::{FormatSettings, IntakeSettings};
use super::signature::{SignatureForm, SignatureScheme};

table! {
    /// What is taken from outside; a kind of sender whose part is missing is refused.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct IntakeConfig {
        /// Alertmanager's webhook, and Grafana's.
        pub alertmanager: Option<TokenIntake> = None,
        /// PagerDuty's Events API.
        pub pagerduty: Option<PagerdutyIntake> = None,
        /// PagerDuty's webhooks, version 3.
        pub pagerduty_v3: Option<SignedIntake> = None,
        /// GitHub's webhooks.
        pub github: Option<SignedIntake> = None,
        /// `CloudEvents`.
        pub cloudevents: Option<TokenIntake> = None,
        /// Webhooks whose form a pack declares, by the name that the pack gives them.
        pub webhooks: BTreeMap<String, WebhookIntake> = BTreeMap::new(),
        /// Deliveries that may wait to be worked on; more are refused so that senders try again. As many as a storm of
        /// alerts brings.
        pub waiting_max: NonZeroU64 = const { NonZeroU64::new(10_000).unwrap() },
        /// Cases that one delivery may open; the rest of it becomes one session of many targets. As many as people can look
        /// at.
        pub max_cases: Count<1> = Count(20),
    }
}

table! {
    /// A kind of sender that is known by a token.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct TokenIntake {
        /// The packs of the sessions it opens.
        pub pack: PackList,
    }
}

table! {
    /// PagerDuty's Events API. Who sends is known by the event's routing key or by a token.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct PagerdutyIntake {
        /// The packs of the sessions it opens.
        pub pack: PackList,
        /// Where the routing keys are, by the name their sender has in logs.
        pub routing_keys: BTreeMap<String, SecretPlace> = BTreeMap::new(),
    }
}

table! {
    /// A kind of sender that signs as its vendor says.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct SignedIntake {
        /// The packs of the sessions it opens.
        pub pack: PackList,
        /// Where the secrets are, by the name their sender has in logs.
        pub secrets: BTreeMap<String, SecretPlace>,
    }
}

table! {
    /// A webhook whose form a pack declares. Who sends is known by a signature where one is configured, else by a token.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct WebhookIntake {
        /// The packs of the sessions it opens.
        pub pack: PackList,
        /// How its senders sign.
        pub signature: Option<SignatureConfig> = None,
    }
}

table! {
    /// How the senders of a webhook sign: HMAC-SHA256 in a header, or as Standard Webhooks says.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct SignatureConfig {
        /// Where the secrets are, by the name their sender has in logs.
        pub secrets: BTreeMap<String, SecretPlace>,
        /// Whether they sign as the specification of Standard Webhooks says; the other keys do not count then.
        pub standard_webhooks: bool = false,
        /// The header that has the signature.
        pub header: String = "X-Signature-256".to_owned(),
        /// What it is preceded by there.
        pub prefix: String = "sha256=".to_owned(),
        /// The header that has the time in seconds, if it is signed: `TIME.BODY`.
        pub timestamp: Option<String> = None,
    }
}

/// The packs that take deliveries of a format, in this order: the name of one, or a list of names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackList(pub Vec<String>);

impl FromYaml for PackList {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        if !node.is_list() {
            return String::read(node, log).map(|name| Self(vec![name]));
        }
        let names = Vec::<String>::read(node, log)?;
        if names.is_empty() {
            log.expected(
                "the name of a pack",
                node,
                "write one, or a list of them: the first that takes a delivery counts",
            );
            return None;
        }
        Some(Self(names))
    }

    fn blank() -> Self {
        Self(Vec::new())
    }
}

impl PackList {
    fn names(&self) -> Vec<PackName> {
        self.0.iter().map(PackName::new).collect()
    }
}

/// What a sender is known by cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SenderSecretError {
    /// A secret is not where the configuration says.
    #[error("`intake.{place}`")]
    Secret {
        /// Where in the section it stands.
        place: String,
        /// Why the secret could not be read.
        source: SecretError,
    },
    /// A webhook has a name that no path can have.
    #[error("`intake.webhooks` has the name `{name}`; write 1 to 40 of a-z, 0-9, _ and -")]
    Name {
        /// What is written in its place.
        name: String,
    },
}

impl IntakeConfig {
    /// How deliveries are taken. Of a routing key only its digest stays in memory.
    ///
    /// # Errors
    /// A secret cannot be read, or a webhook has a name that it cannot have.
    pub fn settings(&self, secret: ReadSecret<'_>) -> Result<IntakeSettings, SenderSecretError> {
        let Self { alertmanager, pagerduty, pagerduty_v3, github, cloudevents, webhooks, waiting_max, max_cases } =
            self;
        let mut formats = BTreeMap::new();
        let by_token = [(DeliveryFormat::Alertmanager, alertmanager), (DeliveryFormat::Cloudevents, cloudevents)];
        for (format, own) in by_token {
            formats.extend(own.iter().map(|own| (format, FormatSettings::of_packs(own.pack.names()))));
        }
        if let Some(PagerdutyIntake { pack, routing_keys }) = pagerduty {
            let keys = secrets("pagerduty.routing_keys", routing_keys, secret)?;
            let digest = |(name, key): (String, SecretString)| (name, Digest::of(key.expose_secret().as_bytes()));
            let keys = keys.into_iter().map(digest).collect();
            formats
                .insert(DeliveryFormat::Pagerduty, FormatSettings { keys, ..FormatSettings::of_packs(pack.names()) });
        }
        let signed = [
            (DeliveryFormat::PagerdutyV3, pagerduty_v3, SignatureForm::pagerduty()),
            (DeliveryFormat::Github, github, SignatureForm::github()),
        ];
        for (format, own, form) in signed {
            let Some(own) = own else { continue };
            let secrets = secrets(&format!("{}.secrets", format.as_str()), &own.secrets, secret)?;
            let signature = Some(SignatureScheme { form, secrets });
            formats.insert(format, FormatSettings { signature, ..FormatSettings::of_packs(own.pack.names()) });
        }
        for (name, own) in webhooks {
            let format = DeliveryFormat::webhook(name);
            let format = format.ok_or_else(|| SenderSecretError::Name { name: name.clone() })?;
            let signature = own.signature.as_ref().map(|own| own.scheme(name, secret)).transpose()?;
            formats.insert(format, FormatSettings { signature, ..FormatSettings::of_packs(own.pack.names()) });
        }
        let max_cases = usize::try_from(max_cases.0).unwrap_or(usize::MAX);
        Ok(IntakeSettings { formats, waiting_max: waiting_max.get(), max_cases })
    }
}

impl SignatureConfig {
    fn scheme(&self, webhook: &str, secret: ReadSecret<'_>) -> Result<SignatureScheme, SenderSecretError> {
        let Self { secrets: places, standard_webhooks, header, prefix, timestamp } = self;
        let secrets = secrets(&format!("webhooks.{webhook}.signature.secrets"), places, secret)?;
        let form = if *standard_webhooks {
            SignatureForm::StandardWebhooks
        } else {
            SignatureForm::Header {
                name: header.to_ascii_lowercase(),
                prefix: prefix.clone(),
                timestamp: timestamp.as_ref().map(|name| name.to_ascii_lowercase()),
            }
        };
        Ok(SignatureScheme { form, secrets })
    }
}

/// Secrets by the names of their senders.
fn secrets(
    place: &str,
    places: &BTreeMap<String, SecretPlace>,
    secret: ReadSecret<'_>,
) -> Result<BTreeMap<String, SecretString>, SenderSecretError> {
    let read = |(sender, at): (&String, &SecretPlace)| match secret(at) {
        Ok(secret) => Ok((sender.clone(), secret)),
        Err(source) => Err(SenderSecretError::Secret { place: format!("{place}.{sender}"), source }),
    };
    places.iter().map(read).collect()
}
