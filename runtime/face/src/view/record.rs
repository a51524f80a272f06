//! Sealed records: what a caller needs to check the chain itself, and to fold events it can trust.

use provost_domain::ids::Digest;
use provost_domain::log::{AppendRecord, RecordHeader};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Several events as one tamper-evident record. Its hashes are over exactly these bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordView {
    /// What is known without the payload.
    #[schema(value_type = Object)]
    pub header: RecordHeader,
    /// The events, a JSON array of `{kind, v, data}`; absent once erased.
    pub payload: Option<String>,
    /// Random bytes that go into the digest, in hex; absent once erased.
    pub salt: Option<String>,
    /// Digest of salt and payload.
    #[schema(value_type = String)]
    pub digest: Digest,
    /// Hash of the record before it; zeros for the first.
    #[schema(value_type = String)]
    pub prev: Digest,
    /// Over the header, the digest and `prev`.
    #[schema(value_type = String)]
    pub hash: Digest,
}

impl From<AppendRecord> for RecordView {
    fn from(record: AppendRecord) -> Self {
        let AppendRecord { header, payload, salt, digest, prev, hash } = record;
        // Payloads are JSON; bytes that are none cannot verify on the other side, as they should not.
        let payload = payload.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let salt = salt.map(|salt| uuid::Uuid::from_bytes(salt).simple().to_string());
        Self { header, payload, salt, digest, prev, hash }
    }
}

impl From<RecordView> for AppendRecord {
    /// Nothing is checked here: opening the record does.
    fn from(view: RecordView) -> Self {
        let RecordView { header, payload, salt, digest, prev, hash } = view;
        let salt = salt.and_then(|hex| uuid::Uuid::try_parse(&hex).ok()).map(uuid::Uuid::into_bytes);
        Self { header, payload: payload.map(String::into_bytes), salt, digest, prev, hash }
    }
}

#[cfg(test)]
mod tests {
    use provost_domain::event::{EventBody, OperatorSpoke};
    use provost_domain::ids::{CmdId, Fence, Seq, SessionId};
    use provost_domain::log::Unsealed;
    use provost_domain::principal::Principal;
    use provost_domain::time::Timestamp;

    use super::*;

    #[test]
    fn a_record_is_the_same_on_the_other_side_and_a_changed_one_does_not_open() {
        let said = EventBody::from(OperatorSpoke { by: Principal::user("a"), text: "häuft sich \u{1f525}".into() });
        let record = AppendRecord::seal(Unsealed {
            session: SessionId::new(uuid::Uuid::from_u128(7)),
            after: Seq(0),
            fence: Fence(1),
            cmd_id: CmdId::new("c"),
            at: Timestamp::from_micros(5),
            events: &[said],
            salt: [9; 16],
            prev: Digest::default(),
        })
        .unwrap();
        let wire = serde_json::to_string(&RecordView::from(record.clone())).unwrap();
        let read = |wire: &str| AppendRecord::from(serde_json::from_str::<RecordView>(wire).unwrap());
        assert_eq!(read(&wire), record);
        assert!(read(&wire).open(Seq(0), Digest::default()).is_ok());
        assert!(read(&wire.replace("sich", "sick")).open(Seq(0), Digest::default()).is_err());
    }
}
