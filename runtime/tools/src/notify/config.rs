//! The section `tools.notify`.

use std::collections::BTreeMap;
use std::sync::Arc;

use provost_form::{ErrorLog, FromYaml, ReadSecret, SecretPlace, Table, YamlNode, nearest};
use secrecy::SecretString;

use super::kind::{NotifyKind, NotifyTarget};
use super::receivers::{BadReceiver, KINDS, Receiver, ReceiverSection, STANDARD};
use crate::error::ToolsError;
use crate::kind::{ToolKind, ToolSection};

/// The targets, by the name of their tool.
#[derive(Debug)]
pub(crate) struct NotifySection(BTreeMap<String, TargetSection>);

/// One target as written.
#[derive(Debug, Clone)]
pub(super) struct TargetSection {
    receiver: Arc<dyn ReceiverSection>,
    /// Whether its messages are stored and sent in the background, where there is an outbox.
    pub(super) outbox: bool,
}

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
            None => STANDARD.to_owned(),
        };
        let Some((_, keys, read)) = KINDS.iter().find(|(word, ..)| *word == kind) else {
            let place = node.get("kind").map(|kind| kind.place).unwrap_or_default();
            log.report(place, "the kind is not known", nearest(&kind, KINDS.iter().map(|(word, ..)| *word)));
            return None;
        };
        let table = Table::open(node, keys, log)?;
        Some(Self { receiver: read(&table, log), outbox: table.optional("outbox", log).unwrap_or(true) })
    }

    fn blank() -> Self {
        Self { receiver: Arc::new(NoReceiver), outbox: true }
    }
}

/// Stands in for one that could not be read.
#[derive(Debug)]
struct NoReceiver;

impl ReceiverSection for NoReceiver {
    fn places(&self) -> Vec<&SecretPlace> {
        Vec::new()
    }

    fn open(&self, _: ReadSecret<'_>) -> Result<Arc<dyn Receiver>, BadReceiver> {
        Err(BadReceiver::Settings("it could not be read".to_owned()))
    }
}

impl TargetSection {
    /// The receiver with its secrets.
    pub(super) fn open(&self, tool: &str, secret: ReadSecret<'_>) -> Result<Arc<dyn Receiver>, ToolsError> {
        self.receiver.open(secret).map_err(|bad| match bad {
            BadReceiver::Secret(source) => {
                ToolsError::Secret { section: format!("tools.{}", tool.replace(':', ".")), source }
            }
            BadReceiver::Settings(detail) => ToolsError::Notify { tool: tool.to_owned(), detail },
        })
    }

    /// Where its secrets are.
    pub(super) fn places(&self) -> Vec<&SecretPlace> {
        self.receiver.places()
    }
}

impl ToolSection for NotifySection {
    fn open(&self, secret: Option<ReadSecret<'_>>) -> Result<Arc<dyn ToolKind>, ToolsError> {
        let secret = |place: &SecretPlace| secret.map_or_else(|| Ok(SecretString::default()), |read| read(place));
        let target = |(name, section): (&String, &TargetSection)| {
            let receiver = section.open(&format!("notify:{name}"), &secret)?;
            Ok((name.clone(), NotifyTarget { receiver, outbox: section.outbox }))
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
        assert!(plain.outbox && plain.places().is_empty());
        let signed = target("kind: webhook, url: u, secret: {file: key}").unwrap();
        let [SecretPlace::File(file)] = signed.places().as_slice() else { panic!("{signed:?}") };
        assert_eq!(file.as_os_str(), "/etc/provost/key");
        assert!(!target("url: u, outbox: false").unwrap().outbox);
        for (text, secrets) in [
            ("kind: pagerduty, url: u, routing_key: {env: KEY}", 1),
            ("kind: slack, url: {env: SLACK}", 1),
            ("kind: teams, url: {env: TEAMS}", 1),
            ("kind: ntfy, url: u, topic: {env: TOPIC}, token: {env: TOKEN}", 2),
            ("kind: email, host: h, from: a@b.org, to: [c@d.org], username: u, password: {env: MAIL}", 1),
        ] {
            assert_eq!(target(text).unwrap().places().len(), secrets, "{text}");
        }
    }

    #[test]
    fn a_target_that_cannot_be_reached_safely_is_refused() {
        let pager = |url: &str| format!("kind: pagerduty, url: \"{url}\", routing_key: {{env: KEY}}");
        let mail = |more: &str| format!("kind: email, from: a@b.org, to: [c@d.org], {more}");
        let hook = |url: &str| format!("url: \"{url}\"");
        let secret: ReadSecret<'_> = &|place| {
            Ok(match place {
                SecretPlace::Env(name) if name == "CLEAR" => "http://hooks.example.org/x".into(),
                _ => "https://hooks.example.org/x".into(),
            })
        };
        for (text, part) in [
            (hook("nowhere"), "relative URL"),
            (hook("ftp://example.org"), "the scheme is `ftp`"),
            (pager("http://example.org/v2/enqueue"), "in the clear"),
            ("kind: slack, url: {env: CLEAR}".to_owned(), "in the clear"),
            ("kind: teams, url: {env: CLEAR}".to_owned(), "in the clear"),
            ("kind: ntfy, url: \"http://example.org\", topic: {env: T}".to_owned(), "in the clear"),
            (mail("host: mail.example.org, security: none"), "in the clear"),
            (mail("host: localhost, security: none, username: u"), "write both or none"),
        ] {
            let error = target(&text).unwrap().open("notify:team", secret).unwrap_err().to_string();
            assert!(error.contains(part) && error.contains("notify:team"), "{text}: {error}");
        }
        for text in [
            hook("http://example.org/x"),
            hook("https://example.org/x"),
            pager("http://127.0.0.1:9/v2/enqueue"),
            pager("http://[::1]/"),
            pager("https://example.org/v2/enqueue"),
            "kind: slack, url: {env: SAFE}".to_owned(),
            mail("host: \"127.0.0.1\", security: none, port: 2525"),
        ] {
            target(&text).unwrap().open("notify:team", secret).unwrap();
        }
    }

    #[test]
    fn a_wrong_target_is_refused_and_no_secret_is_shown() {
        for (text, part) in [
            ("kind: pager, url: u", "did you mean `pagerduty`?"),
            ("kind: pagerduty, url: u", "the key `routing_key` is missing"),
            ("url: u, routing_key: {env: KEY}", "unknown key `routing_key`"),
            ("url: u, secret: sk-hush", "where the secret is"),
            ("kind: slack, url: \"https://hush\"", "where the secret is"),
            ("kind: email, host: h, from: nobody, to: [a@b.org]", "not an address of mail"),
            ("kind: email, host: h, from: a@b.org, to: []", "0 addresses"),
            ("kind: email, host: h, from: a@b.org, to: [a@b.org], security: tsl", "there are: starttls, tls, none"),
        ] {
            let error = target(text).unwrap_err();
            assert!(error.contains(part) && !error.contains("hush"), "{error}");
        }
    }
}
