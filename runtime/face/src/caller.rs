//! Who asks. Access is checked in this crate, by every operation, and nowhere else.

use provost_domain::access::{AccessRole, Permission};
use provost_domain::principal::Principal;

use crate::code::Code;
use crate::error::OperationError;

/// Who asks, and in which role. A face makes one of a request it has authenticated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Who the log says acted.
    pub principal: Principal,
    /// What they may do.
    pub role: AccessRole,
}

impl Caller {
    /// Somebody who can open the store's files: they may do everything.
    pub fn local(principal: Principal) -> Self {
        Self { principal, role: AccessRole::Admin }
    }

    /// Whether their role may.
    pub fn may(&self, permission: Permission) -> bool {
        self.role.may(permission)
    }

    /// Refuses who may not. Operations ask it themselves; a face may ask it earlier, before it reads a request's body.
    ///
    /// # Errors
    /// [`Code::Forbidden`].
    pub fn require(&self, permission: Permission) -> Result<(), OperationError> {
        if self.may(permission) {
            return Ok(());
        }
        let detail = format!("the role {} may not do that; use a token with another role", self.role);
        Err(OperationError::new(Code::Forbidden, detail).with("role", self.role.as_str()))
    }
}
