//! The section `tools.notify`.

use std::collections::BTreeMap;
use std::sync::Arc;

use provost_form::{ErrorLog, FromYaml, ReadSecret, SecretPlace, Table, YamlNode, nearest};
use secrecy::SecretString;

use super::kind::{NotifyKind, NotifyTarget};
use super::target::NotifySettings;
use crate::error::ToolsError;
use crate::kind::{ToolKind, ToolSection};

/// The targets, by the name of their tool.
#[derive(Debug)]
pub(crate) struct NotifySection(BTreeMap<String, TargetSection>);

/// One target as written.
#[derive(Debug)]
pub(super) struct TargetSection {
    receiver: ReceiverSection,
    /// Whether its messages are stored and sent in the background, where there is an outbox.
    pub(super) outbox: bool,
}

/// A webhook has no default address: nothing goes to a server nobody named.
#[derive(Debug)]
enum ReceiverSection {
    /// What is meant when no `kind` is written.
    Webhook {
        url: String,
        secret: Option<SecretPlace>,
    },
    Pagerduty {
        url: String,
        routing_key: SecretPlace,
    },
}

const WEBHOOK: &str = "webhook";
const PAGERDUTY: &str = "pagerduty";
/// Where PagerDuty takes events.
const PAGERDUTY_URL: &str = "https://events.pagerduty.com/v2/enqueue";

impl FromYaml for NotifySection {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        FromYaml::read(node, log).map(Self)
    }

    fn blank() -> Self {
        Self(BTreeMap::new())
    }
}

impl FromYaml for TargetSection {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        let kind = match node.get("kind") {
            Some(kind) => String::read(kind, log)?,
            None => WEBHOOK.to_owned(),
        };
        let (table, receiver) = match kind.as_str() {
            WEBHOOK => {
                let table = Table::open(node, &["kind", "url", "secret", "outbox"], log)?;
                let (url, secret) = (table.required("url", log), table.optional("secret", log));
                (table, ReceiverSection::Webhook { url, secret })
            }
            PAGERDUTY => {
                let table = Table::open(node, &["kind", "url", "routing_key", "outbox"], log)?;
                let url = table.optional("url", log).unwrap_or_else(|| PAGERDUTY_URL.to_owned());
                let routing_key = table.required("routing_key", log);
                (table, ReceiverSection::Pagerduty { url, routing_key })
            }
            other => {
                let place = node.get("kind").map(|kind| kind.place).unwrap_or_default();
                log.report(place, "the kind is not known", nearest(other, [WEBHOOK, PAGERDUTY]));
                return None;
            }
        };
        Some(Self { receiver, outbox: table.optional("outbox", log).unwrap_or(true) })
    }

    fn blank() -> Self {
        Self { receiver: ReceiverSection::Webhook { url: String::new(), secret: None }, outbox: true }
    }
}

impl TargetSection {
    /// The target with its secret.
    pub(super) fn settings<E>(
        &self,
        secret: impl Fn(&SecretPlace) -> Result<SecretString, E>,
    ) -> Result<NotifySettings, E> {
        Ok(match &self.receiver {
            ReceiverSection::Webhook { url, secret: place } => {
                NotifySettings::Webhook { url: url.clone(), secret: place.as_ref().map(secret).transpose()? }
            }
            ReceiverSection::Pagerduty { url, routing_key } => {
                NotifySettings::Pagerduty { url: url.clone(), routing_key: secret(routing_key)? }
            }
        })
    }

    /// Where its secret is.
    pub(super) fn place(&self) -> Option<&SecretPlace> {
        match &self.receiver {
            ReceiverSection::Webhook { secret, .. } => secret.as_ref(),
            ReceiverSection::Pagerduty { routing_key, .. } => Some(routing_key),
        }
    }
}

impl ToolSection for NotifySection {
    fn open(&self, secret: Option<ReadSecret<'_>>) -> Result<Arc<dyn ToolKind>, ToolsError> {
        let secret = |place: &SecretPlace| secret.map_or_else(|| Ok(SecretString::default()), |read| read(place));
        let target = |(name, section): (&String, &TargetSection)| {
            let wrong = |source| ToolsError::Secret { section: format!("tools.notify.{name}"), source };
            let settings = section.settings(secret).map_err(wrong)?;
            Ok((name.clone(), NotifyTarget { settings, outbox: section.outbox }))
        };
        let targets = self.0.iter().map(target).collect::<Result<_, ToolsError>>()?;
        Ok(Arc::new(NotifyKind { targets }))
    }

    fn messengers(&self) -> Vec<String> {
        self.0.keys().map(|name| format!("notify:{name}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use provost_form::parse;

    use super::*;

    fn target(text: &str) -> Result<TargetSection, String> {
        let mut log = ErrorLog::new("/etc/provost/provost.yaml".into());
        let node = parse(&format!("{{team: {{{text}}}}}"), &mut log).unwrap();
        let section = NotifySection::read(&node, &mut log).unwrap();
        let errors: Vec<String> = log.errors.iter().map(ToString::to_string).collect();
        if errors.is_empty() { Ok(section.0.into_values().next().unwrap()) } else { Err(errors.join("\n")) }
    }

    #[test]
    fn a_target_is_a_webhook_unless_it_says_otherwise() {
        let plain = target("url: \"http://h/\"").unwrap();
        assert!(matches!(&plain.receiver, ReceiverSection::Webhook { url, secret: None } if url == "http://h/"));
        let signed = target("kind: webhook, url: u, secret: {file: key}").unwrap();
        let ReceiverSection::Webhook { secret: Some(SecretPlace::File(file)), .. } = &signed.receiver else {
            panic!("{signed:?}");
        };
        assert_eq!(file.as_os_str(), "/etc/provost/key");
        let pager = target("kind: pagerduty, url: u, routing_key: {env: KEY}").unwrap();
        assert!(pager.outbox && plain.outbox && !target("url: u, outbox: false").unwrap().outbox);
        let ReceiverSection::Pagerduty { routing_key: SecretPlace::Env(name), .. } = &pager.receiver else {
            panic!("{pager:?}");
        };
        assert_eq!(name, "KEY");
    }

    #[test]
    fn a_wrong_target_is_refused_and_no_secret_is_shown() {
        for (text, part) in [
            ("kind: pager, url: u", "did you mean `pagerduty`?"),
            ("kind: pagerduty, url: u", "the key `routing_key` is missing"),
            ("url: u, routing_key: {env: KEY}", "unknown key `routing_key`"),
            ("url: u, secret: sk-hush", "where the secret is"),
        ] {
            let error = target(text).unwrap_err();
            assert!(error.contains(part) && !error.contains("hush"), "{error}");
        }
    }
}
