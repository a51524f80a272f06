//! The tokens of the configuration: in force as long as they stand there.

use anyhow::{Context as _, Result, bail};
use provost_domain::access::{Secret, Token};
use provost_domain::ids::TokenId;
use provost_domain::port::{Clock as _, MintAnswer, RevokeAnswer, TokenReads, Tokens};
use provost_domain::principal::Principal;
use provost_domain::time::Timestamp;
use provost_engine::SystemClock;
use provost_form::{ReadSecret, SecretError};
use secrecy::ExposeSecret as _;

use crate::secret;
use crate::wiring::TokenConfig;

/// Who minted the tokens of the configuration, as the store names it.
const BY: &str = "config:server.tokens";

/// What makes the tokens in force those of the configuration.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    revoke: Vec<TokenId>,
    mint: Vec<Token>,
    /// Names of tokens that stay revoked.
    revoked: Vec<String>,
}

/// Reads the secrets and plans; writes nothing.
pub(crate) async fn plan(store: &dyn TokenReads, configured: &[TokenConfig], secret: ReadSecret<'_>) -> Result<Plan> {
    let wanted = configured.iter().map(|token| of(token, secret)).collect::<Result<Vec<_>>>()?;
    changes(&wanted, &store.tokens().await?, SystemClock.now())
}

/// The same where there is no store to compare with.
pub(crate) fn plan_alone(configured: &[TokenConfig], secret: ReadSecret<'_>) -> Result<Plan> {
    let wanted = configured.iter().map(|token| of(token, secret)).collect::<Result<Vec<_>>>()?;
    changes(&wanted, &[], SystemClock.now())
}

/// A configured token with its secret.
fn of(token: &TokenConfig, secret: ReadSecret<'_>) -> Result<Token> {
    let named = || format!("token `{}`", token.name);
    let secret = secret_of(token, secret).with_context(named)?;
    Token::of(&secret, &token.name, token.role, Principal::parse(BY), SystemClock.now()).with_context(named)
}

/// Does what was planned. Revocations come first: a name is free for its new secret then.
pub(crate) async fn apply(store: &dyn Tokens, plan: Plan) -> Result<()> {
    for id in &plan.revoke {
        match store.revoke(id, SystemClock.now()).await? {
            RevokeAnswer::Revoked => {
                tracing::info!(token = %id, "revoked: the configuration does not name its secret any more");
            }
            RevokeAnswer::NotInForce => tracing::info!(token = %id, "was revoked already"),
        }
    }
    for token in &plan.mint {
        match store.mint(token).await? {
            MintAnswer::Stored => {
                tracing::info!(token = %token.id, name = token.name, role = %token.role, "in force, from the configuration");
            }
            MintAnswer::NameTaken => {
                bail!("a token named {} was minted meanwhile; revoke it or choose another name", token.name);
            }
        }
    }
    for name in plan.revoked {
        tracing::warn!(
            name,
            "this token of the configuration was revoked; `provost tokens generate` makes a new secret"
        );
    }
    Ok(())
}

fn changes(wanted: &[Token], stored: &[Token], now: Timestamp) -> Result<Plan> {
    let configured = |token: &&Token| token.created_by == Principal::parse(BY);
    let gone = |token: &&Token| !wanted.iter().any(|wanted| wanted.id == token.id);
    let in_force = || stored.iter().filter(|token| token.is_valid(now));
    let revoke = in_force().filter(configured).filter(gone).map(|token| token.id.clone()).collect();
    let mut plan = Plan { revoke, ..Plan::default() };
    for token in wanted {
        if wanted.iter().filter(|other| other.name == token.name).count() > 1 {
            bail!("two configured tokens are named {}; the log could not tell them apart", token.name);
        }
        match stored.iter().find(|known| known.id == token.id) {
            Some(known) if known.digest != token.digest || known.name != token.name || known.role != token.role => {
                bail!(
                    "the secret of token {} was first used as {} with role {}; generate a new secret",
                    token.name,
                    known.name,
                    known.role
                );
            }
            Some(known) if known.is_valid(now) => {}
            Some(_) => plan.revoked.push(token.name.clone()),
            None => plan.mint.push(token.clone()),
        }
    }
    let taken = |token: &&Token| in_force().any(|known| known.name == token.name && !configured(&known));
    if let Some(token) = plan.mint.iter().find(taken) {
        bail!("a token named {} is in force already; revoke it first or choose another name", token.name);
    }
    Ok(plan)
}

/// The secret of a configured token: from the first of the places named that has one.
fn secret_of(token: &TokenConfig, secret: ReadSecret<'_>) -> Result<Secret> {
    let mut absent = None;
    for place in token.places() {
        match secret(&place) {
            Ok(text) => return secret::parse(text.expose_secret()),
            Err(error @ SecretError::Absent(_)) => absent = Some(error),
            Err(error @ SecretError::Unusable(_)) => return Err(error.into()),
        }
    }
    let none = "its secret is in none of the places named; `provost tokens generate` makes one";
    Err(absent.map_or_else(|| anyhow::anyhow!(none), |error| anyhow::Error::new(error).context(none)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use provost_domain::access::AccessRole;

    use super::*;

    fn token(name: &str, byte: u8, by: &str) -> Token {
        let secret = Secret::generate(&[byte; 38]);
        Token::of(&secret, name, AccessRole::Viewer, Principal::parse(by), Timestamp::default()).unwrap()
    }

    fn check(wanted: &[&Token], stored: &[&Token]) -> Result<Plan, String> {
        let own = |tokens: &[&Token]| tokens.iter().map(|token| (*token).clone()).collect::<Vec<_>>();
        changes(&own(wanted), &own(stored), Timestamp::from_micros(1)).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_configured_is_in_force_and_nothing_else_of_it() {
        let (old, new) = (token("a", 1, BY), token("a", 2, BY));
        let hand_made = token("b", 3, "user:cli");
        let minted = Plan { mint: vec![new.clone()], ..Plan::default() };
        assert_eq!(check(&[&new], &[&hand_made]), Ok(minted));
        assert_eq!(check(&[&new], &[&new, &hand_made]), Ok(Plan::default()));
        let rotated = Plan { revoke: vec![old.id.clone()], mint: vec![new.clone()], revoked: vec![] };
        assert_eq!(check(&[&new], &[&old]), Ok(rotated));
        let dropped = Plan { revoke: vec![old.id.clone()], ..Plan::default() };
        assert_eq!(check(&[], &[&old, &hand_made]), Ok(dropped));
    }

    #[test]
    fn a_revoked_secret_stays_revoked() {
        let configured = token("a", 1, BY);
        let revoked = Token { revoked_at: Some(Timestamp::default()), ..configured.clone() };
        let plan = Plan { revoked: vec!["a".to_owned()], ..Plan::default() };
        assert_eq!(check(&[&configured], &[&revoked]), Ok(plan));
    }

    #[test]
    fn a_secret_has_one_name_and_role_and_a_name_one_secret() {
        let configured = token("a", 1, BY);
        let says = |wanted: &[&Token], stored: &[&Token], part: &str| {
            let error = check(wanted, stored).unwrap_err();
            assert!(error.contains(part), "{error}");
        };
        says(&[&configured], &[&Token { role: AccessRole::Admin, ..configured.clone() }], "generate a new secret");
        says(&[&configured], &[&token("other", 1, BY)], "first used as other");
        says(&[&configured], &[&token("a", 2, "user:cli")], "in force already");
        says(&[&configured, &token("a", 2, BY)], &[], "two configured tokens are named a");
    }

    #[test]
    fn a_secret_is_read_from_credential_then_environment_then_file() {
        let folder = tempfile::TempDir::new().unwrap();
        let text = |byte: u8| Secret::generate(&[byte; 38]).reveal().to_owned();
        let file = folder.path().join("file");
        fs::write(&file, text(3)).unwrap();
        let configured = TokenConfig {
            name: "a".to_owned(),
            role: AccessRole::Viewer,
            credential: Some("cred".to_owned()),
            env: Some("SECRET".to_owned()),
            file: Some(file.clone()),
        };
        let directory = folder.path().display().to_string();
        let read = |with_env: bool| {
            let variable = |name: &str| match name {
                "CREDENTIALS_DIRECTORY" => Some(directory.clone()),
                "SECRET" if with_env => Some(text(2)),
                _ => None,
            };
            let secret = secret_of(&configured, &|place| place.load(&variable));
            secret.map(|secret| secret.reveal().to_owned()).map_err(|error| format!("{error:#}"))
        };
        assert_eq!(read(false), Ok(text(3)));
        assert_eq!(read(true), Ok(text(2)));
        fs::write(folder.path().join("cred"), format!("{}\n", text(1))).unwrap();
        assert_eq!(read(true), Ok(text(1)));
        fs::write(folder.path().join("cred"), "hunter2").unwrap();
        let error = read(true).unwrap_err();
        assert!(error.contains("not a token's secret") && !error.contains("hunter2"), "{error}");
    }
}
