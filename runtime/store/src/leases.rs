//! Leases where one process holds the whole store: its lock is its lease, for life.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use provost_domain::ids::Owner;
use provost_domain::port::{HolderState, Lease, LeaseTerm, Leases, Renewal, StoreError};

/// The one node of a store: the incarnation that acquired last. Every other one is dead, because it does not hold the store
/// any more.
#[derive(Debug, Default)]
pub(crate) struct SingleNode {
    holder: Mutex<Option<Owner>>,
}

impl SingleNode {
    fn holds(&self, owner: &Owner) -> bool {
        self.holder.lock().unwrap_or_else(PoisonError::into_inner).as_ref() == Some(owner)
    }
}

#[async_trait]
impl Leases for SingleNode {
    async fn acquire(&self, owner: &Owner) -> Result<Lease, StoreError> {
        *self.holder.lock().unwrap_or_else(PoisonError::into_inner) = Some(owner.clone());
        Ok(Lease { owner: owner.clone(), term: LeaseTerm::Process })
    }

    async fn renew(&self, lease: &Lease) -> Result<Renewal, StoreError> {
        Ok(if self.holds(&lease.owner) { Renewal::Renewed(lease.clone()) } else { Renewal::Lost })
    }

    async fn state(&self, owner: &Owner) -> Result<HolderState, StoreError> {
        Ok(if self.holds(owner) { HolderState::Alive } else { HolderState::Dead })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_successor_in_the_same_process_ends_the_lease_before() {
        let (leases, [first, second]) = (SingleNode::default(), ["first", "second"].map(Owner::new));
        let lease = leases.acquire(&first).await.unwrap();
        leases.acquire(&second).await.unwrap();
        assert_eq!(leases.renew(&lease).await, Ok(Renewal::Lost));
        assert_eq!(leases.state(&first).await, Ok(HolderState::Dead));
        assert_eq!(leases.state(&second).await, Ok(HolderState::Alive));
    }
}
