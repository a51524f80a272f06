//! Who may do what through a face: tokens, their roles, and the one table of permissions. Nothing is allowed that is not
//! named here.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::{Digest, TokenId, hex};
use crate::principal::Principal;
use crate::time::Timestamp;

/// What a token stands for. Viewer, operator, approver and admin are steps: each may do what the one before may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessRole {
    /// A sender of webhooks: it delivers and sees nothing.
    Intake,
    /// Looks.
    Viewer,
    /// Starts, stops, retries and settles.
    Operator,
    /// Answers approvals.
    Approver,
    /// Also mints and revokes tokens.
    Admin,
}

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Hand in a delivery from outside.
    Deliver,
    /// Read sessions, approvals, packs, tools, figures.
    Look,
    /// Start and steer sessions.
    Operate,
    /// Answer approvals.
    Approve,
    /// Mint and revoke tokens.
    Administer,
}

impl AccessRole {
    /// Every role.
    pub const ALL: [Self; 5] = [Self::Intake, Self::Viewer, Self::Operator, Self::Approver, Self::Admin];

    /// Whether it may.
    pub const fn may(self, permission: Permission) -> bool {
        match self {
            Self::Intake => match permission {
                Permission::Deliver => true,
                Permission::Look | Permission::Operate | Permission::Approve | Permission::Administer => false,
            },
            Self::Viewer => match permission {
                Permission::Look => true,
                Permission::Deliver | Permission::Operate | Permission::Approve | Permission::Administer => false,
            },
            Self::Operator => match permission {
                Permission::Deliver | Permission::Look | Permission::Operate => true,
                Permission::Approve | Permission::Administer => false,
            },
            Self::Approver => match permission {
                Permission::Deliver | Permission::Look | Permission::Operate | Permission::Approve => true,
                Permission::Administer => false,
            },
            Self::Admin => true,
        }
    }

    /// Its word at the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Intake => "intake",
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Approver => "approver",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for AccessRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no role of that name; the roles are intake, viewer, operator, approver, admin")]
pub struct UnknownRole;

impl FromStr for AccessRole {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(UnknownRole)
    }
}

/// A token as stored: its secret is not part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Its id, which may be shown.
    pub id: TokenId,
    /// Whose it is; the log names its holder `user:NAME`.
    pub name: String,
    /// What it may do.
    pub role: AccessRole,
    /// SHA-256 of the whole secret text.
    pub digest: Digest,
    /// Who minted it.
    pub created_by: Principal,
    /// When.
    pub created_at: Timestamp,
    /// After this instant it is worth nothing.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Why a token cannot be minted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a token's name is 1 to 64 letters, digits, `.`, `_`, `-` or `@`; it is who the log says acted")]
pub struct BadName;

/// Longest name, in characters.
const NAME_MAX: usize = 64;
/// Hex digits of the id.
const ID_DIGITS: usize = 12;
/// Hex digits of the secret part: 256 bits.
const SECRET_DIGITS: usize = 64;
/// What every secret begins with, so that scanners of leaked secrets know it.
const PREFIX: &str = "pvt_";

/// A secret as its holder keeps it. Never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// A new secret, made of 38 random bytes.
    pub fn generate(random: &[u8; 38]) -> Self {
        let digits = hex(random);
        let (id, secret) = digits.split_at(ID_DIGITS);
        Self(format!("{PREFIX}{id}_{secret}"))
    }

    /// Reads `pvt_<id>_<secret>`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let is_hex = |part: &str, digits| {
            part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        };
        (is_hex(id, ID_DIGITS) && is_hex(secret, SECRET_DIGITS)).then(|| Self(text.to_owned()))
    }

    /// The token it belongs to, if it is genuine.
    pub fn id(&self) -> TokenId {
        TokenId::new(self.0.chars().skip(PREFIX.len()).take(ID_DIGITS).collect::<String>())
    }

    /// What the store keeps of it.
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }

    /// The text to hand out, once.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl Token {
    /// A new token and its secret, made of 38 random bytes.
    ///
    /// # Errors
    /// The name has another form.
    pub fn mint(
        name: &str,
        role: AccessRole,
        by: Principal,
        at: Timestamp,
        random: &[u8; 38],
    ) -> Result<(Self, Secret), BadName> {
        let secret = Secret::generate(random);
        Ok((Self::of(&secret, name, role, by, at)?, secret))
    }

    /// The token a secret stands for.
    ///
    /// # Errors
    /// The name has another form.
    pub fn of(secret: &Secret, name: &str, role: AccessRole, by: Principal, at: Timestamp) -> Result<Self, BadName> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@');
        if name.is_empty() || name.chars().count() > NAME_MAX || !name.chars().all(fits) {
            return Err(BadName);
        }
        Ok(Self {
            id: secret.id(),
            name: name.to_owned(),
            role,
            digest: secret.digest(),
            created_by: by,
            created_at: at,
            expires_at: None,
            used_at: None,
            revoked_at: None,
        })
    }

    /// Whether it is worth anything at this instant.
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| now < at)
    }

    /// Who acts when it is used.
    pub fn principal(&self) -> Principal {
        match self.role {
            AccessRole::Intake => Principal::Intake(self.name.clone()),
            AccessRole::Viewer | AccessRole::Operator | AccessRole::Approver | AccessRole::Admin => {
                Principal::user(self.name.as_str())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minted() -> (Token, Secret) {
        Token::mint("alice", AccessRole::Approver, Principal::parse("cli:root"), Timestamp::default(), &[7; 38])
            .unwrap()
    }

    #[test]
    fn a_secret_leads_to_its_token_and_is_never_printed() {
        let (token, secret) = minted();
        let read = Secret::parse(secret.reveal()).unwrap();
        assert_eq!((read.id(), read.digest()), (token.id.clone(), token.digest));
        assert!(!format!("{secret:?} {token:?}").contains(secret.reveal()));
        assert_eq!(secret.reveal().len(), 4 + 12 + 1 + 64);
    }

    #[test]
    fn what_is_no_secret_is_none() {
        let (_, secret) = minted();
        let upper = secret.reveal().to_uppercase();
        for text in ["", "pvt_", "pvt_07_07", &upper, &format!("{}0", secret.reveal()), "Bearer x", "pvt_é_é"] {
            assert_eq!(Secret::parse(text), None, "{text}");
        }
    }

    #[test]
    fn roles_are_steps_and_intake_only_delivers() {
        use Permission::{Administer, Approve, Deliver, Look, Operate};
        let all = [Deliver, Look, Operate, Approve, Administer];
        let may = |role: AccessRole| all.map(|permission| role.may(permission));
        assert_eq!(may(AccessRole::Intake), [true, false, false, false, false]);
        assert_eq!(may(AccessRole::Viewer), [false, true, false, false, false]);
        assert_eq!(may(AccessRole::Operator), [true, true, true, false, false]);
        assert_eq!(may(AccessRole::Approver), [true, true, true, true, false]);
        assert_eq!(may(AccessRole::Admin), [true; 5]);
        for role in AccessRole::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert_eq!("root".parse::<AccessRole>(), Err(UnknownRole));
    }

    #[test]
    fn names_are_plain_and_tokens_end() {
        for name in ["", "a b", "a:b", "ä", &"a".repeat(65)] {
            let minted = Token::mint(name, AccessRole::Viewer, Principal::parse("x"), Timestamp::default(), &[0; 38]);
            assert_eq!(minted.map(|_| ()), Err(BadName), "{name}");
        }
        let (token, _) = minted();
        let now = Timestamp::from_micros(10);
        assert!(token.is_valid(now));
        assert!(!Token { expires_at: Some(now), ..token.clone() }.is_valid(now));
        assert!(!Token { revoked_at: Some(now), ..token.clone() }.is_valid(Timestamp::from_micros(9)));
        assert_eq!(token.principal().to_string(), "user:alice");
        assert_eq!(Token { role: AccessRole::Intake, ..token }.principal().to_string(), "intake:alice");
    }
}
