//! Leases of nodes: what holds wherever there may be several.

use provost_domain::port::{HolderState, Lease, Renewal};

use crate::support::{Subject, owner};

on_every_store!(
    who_has_a_lease_is_alive_and_nobody_else,
    what_was_never_acquired_is_lost,
    a_new_incarnation_is_another
);

async fn who_has_a_lease_is_alive_and_nobody_else(subject: Subject) {
    let leases = &subject.store.leases;
    assert_eq!(leases.state(&owner("me")).await, Ok(HolderState::Dead), "not yet");
    let lease = leases.acquire(&owner("me")).await.unwrap();
    assert_eq!(lease.owner, owner("me"));
    assert_eq!(leases.state(&owner("me")).await, Ok(HolderState::Alive));
    assert_eq!(leases.state(&owner("other")).await, Ok(HolderState::Dead));
    assert_eq!(leases.renew(&lease).await, Ok(Renewal::Renewed(lease.clone())));
    assert_eq!(leases.state(&owner("me")).await, Ok(HolderState::Alive));
}

async fn what_was_never_acquired_is_lost(subject: Subject) {
    let leases = &subject.store.leases;
    let mine = leases.acquire(&owner("me")).await.unwrap();
    let invented = Lease { owner: owner("other"), ..mine };
    assert_eq!(leases.renew(&invented).await, Ok(Renewal::Lost));
    assert_eq!(leases.state(&owner("other")).await, Ok(HolderState::Dead), "renewing revives nobody");
}

async fn a_new_incarnation_is_another(subject: Subject) {
    subject.store.leases.acquire(&owner("before")).await.unwrap();
    let subject = subject.reopened().await;
    subject.store.leases.acquire(&owner("after")).await.unwrap();
    assert_eq!(subject.store.leases.state(&owner("after")).await, Ok(HolderState::Alive));
}
