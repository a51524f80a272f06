//! Packs as their files.

use std::collections::BTreeMap;

use provost_domain::ids::Digest;
use provost_domain::pack::PackFiles;
use provost_domain::port::{Append, KeptPack, NewSession};
use provost_domain::status::Status;

use crate::support::{Driven, Subject, new};

on_every_store!(a_pack_is_kept_once_and_read_while_a_session_may_need_it);

fn pack(name: &str) -> KeptPack {
    let files = PackFiles(BTreeMap::from([("pack.yaml".to_owned(), format!("name: {name}\n"))]));
    KeptPack { digest: files.digest(), name: name.into(), files }
}

async fn needed(subject: &Subject) -> Vec<String> {
    let needed = subject.store.reads.packs.needed().await.unwrap();
    let mut names: Vec<_> = needed.into_iter().map(|kept| kept.unwrap().name.to_string()).collect();
    names.sort();
    names
}

async fn a_pack_is_kept_once_and_read_while_a_session_may_need_it(subject: Subject) {
    let packs = ["open", "stopped", "failed", "unused"].map(pack);
    subject.store.packs.keep(&packs).await.unwrap();
    let renamed = KeptPack { name: "renamed".into(), ..packs[0].clone() };
    subject.store.packs.keep(&[renamed]).await.unwrap();
    for (n, status) in [(0, Status::InProgress), (1, Status::Stopped), (2, Status::Error)] {
        let digest: Digest = packs[n].digest;
        let row = NewSession { pack_digest: digest, ..new(n as u128) };
        subject.store.log.create(row).await.unwrap();
        let mut driven = Driven::take(&subject.store, n as u128, "me").await;
        let ended = status != Status::InProgress;
        driven.write(Append { status, ended, ..driven.next(1) }).await.unwrap();
    }
    let subject = subject.reopened().await;
    assert_eq!(needed(&subject).await, ["failed", "open"], "one that has not ended, one that a person can carry on");
}
