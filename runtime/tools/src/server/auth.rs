//! The key `auth` of a server: how it knows the caller.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use provost_form::{At, ErrorLog, FromYaml, NodeKind, SecretPlace, Table, YamlNode, table};
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};

/// What is sent with every request, as written.
#[derive(Debug)]
pub(super) enum AuthSection {
    /// `Authorization: Bearer SECRET`.
    Bearer(SecretPlace),
    /// `Authorization: Basic …`.
    Basic(BasicSection),
    /// The secret alone, in a header of this name.
    Header(HeaderName, SecretPlace),
}

table! {
    /// A user's name and the place of the password.
    #[derive(Debug)]
    pub(super) struct BasicSection {
        user: At<String>,
        password: SecretPlace,
    }
}

const KEYS: [&str; 6] = ["bearer", "basic", "header", "credential", "env", "file"];
const PLACES: [&str; 3] = ["credential", "env", "file"];
const HINT: &str = "write {bearer: {credential: ID}}, {basic: {user: NAME, password: {credential: ID}}} or \
                    {header: NAME, credential: ID}";

impl FromYaml for AuthSection {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        if !node.is_table() {
            log.expected("a way to authenticate", node, HINT);
            return None;
        }
        let table = Table::open(node, &KEYS, log)?;
        let ways: Vec<&str> = KEYS.into_iter().take(3).filter(|way| table.get(way).is_some()).collect();
        let [way] = ways.as_slice() else {
            log.report(node.place, "`auth` names exactly one way to authenticate", HINT);
            return None;
        };
        if *way == "header" {
            return header(node, &table, log);
        }
        if node.entries().count() > 1 {
            log.report(node.place, format!("`{way}` stands alone in `auth`"), HINT);
            return None;
        }
        if *way == "bearer" {
            return table.optional("bearer", log).map(Self::Bearer);
        }
        let basic: BasicSection = table.optional("basic", log)?;
        if basic.user.contains(':') || basic.user.chars().any(char::is_control) {
            let hint = "basic authentication cannot send one: use another user";
            log.report(basic.user.place, "the user's name has a colon or a control character", hint);
        }
        Some(Self::Basic(basic))
    }

    fn blank() -> Self {
        Self::Bearer(SecretPlace::blank())
    }
}

/// The form with a header: its name beside the place of the secret.
fn header(node: &YamlNode, table: &Table<'_>, log: &mut ErrorLog) -> Option<AuthSection> {
    let name: At<String> = table.optional("header", log)?;
    let rest = node.entries().filter(|(key, _)| PLACES.contains(&key.as_str()));
    let rest: Vec<_> = rest.map(|(key, node)| (key.clone(), node.clone())).collect();
    if rest.is_empty() && node.entries().any(|(key, _)| !KEYS.contains(&key.as_str())) {
        // The unknown key was reported, and it may be the place.
        return None;
    }
    let place = SecretPlace::read(&YamlNode { place: node.place, kind: NodeKind::Table(rest) }, log)?;
    if name.is_blank() {
        return None;
    }
    let parsed = HeaderName::from_bytes(name.as_bytes());
    let refused = |_| log.report(name.place, "not the name of a header", "write one such as `X-Api-Key`");
    Some(AuthSection::Header(parsed.map_err(refused).ok()?, place))
}

impl AuthSection {
    /// Where its secret is.
    pub(super) fn place(&self) -> &SecretPlace {
        match self {
            Self::Bearer(place) | Self::Header(_, place) => place,
            Self::Basic(BasicSection { password, .. }) => password,
        }
    }

    /// The header with the secret; nothing where the secret cannot stand in one.
    pub(super) fn header(&self, secret: &SecretString) -> Option<(HeaderName, HeaderValue)> {
        let (name, value) = match self {
            Self::Bearer(_) => (AUTHORIZATION, format!("Bearer {}", secret.expose_secret())),
            Self::Basic(basic) => (AUTHORIZATION, format!("Basic {}", basic.encoded(secret))),
            Self::Header(name, _) => (name.clone(), secret.expose_secret().to_owned()),
        };
        let mut value = HeaderValue::from_str(&value).ok()?;
        value.set_sensitive(true);
        Some((name, value))
    }

    /// Another text by which the secret is known, to be kept out of results.
    pub(super) fn derived(&self, secret: &SecretString) -> Option<SecretString> {
        match self {
            Self::Basic(basic) => Some(basic.encoded(secret).into()),
            Self::Bearer(_) | Self::Header(..) => None,
        }
    }
}

impl BasicSection {
    fn encoded(&self, password: &SecretString) -> String {
        STANDARD.encode(format!("{}:{}", self.user.value, password.expose_secret()))
    }
}
