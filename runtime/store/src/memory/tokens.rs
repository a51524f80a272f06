//! Access tokens, in memory.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use provost_domain::access::Token;
use provost_domain::ids::TokenId;
use provost_domain::time::Timestamp;

/// All tokens. A name is once among those in force.
#[derive(Debug, Default)]
pub(super) struct TokenTable(BTreeMap<TokenId, Token>);

impl TokenTable {
    /// Whether it was stored now.
    pub(super) fn mint(&mut self, token: &Token) -> bool {
        let is_taken = |other: &Token| other.name == token.name && other.revoked_at.is_none();
        if self.0.contains_key(&token.id) || self.0.values().any(is_taken) {
            return false;
        }
        self.0.insert(token.id.clone(), token.clone());
        true
    }

    pub(super) fn get(&self, id: &TokenId) -> Option<Token> {
        self.0.get(id).cloned()
    }

    /// Newest first.
    pub(super) fn list(&self) -> Vec<Token> {
        let mut all: Vec<Token> = self.0.values().cloned().collect();
        all.sort_by_key(|token| Reverse(token.created_at));
        all
    }

    /// Whether it was in force.
    pub(super) fn revoke(&mut self, id: &TokenId, at: Timestamp) -> bool {
        let Some(token) = self.0.get_mut(id).filter(|token| token.revoked_at.is_none()) else { return false };
        token.revoked_at = Some(at);
        true
    }

    pub(super) fn used(&mut self, id: &TokenId, at: Timestamp) {
        if let Some(token) = self.0.get_mut(id) {
            token.used_at = token.used_at.max(Some(at));
        }
    }
}
