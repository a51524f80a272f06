//! A session's sealed log: what a caller needs to check the chain itself, and to fold events it can trust.

use axum::Json;
use axum::extract::State;
use provost_domain::ids::{Digest, Seq};
use provost_domain::log::{AppendRecord, RecordHeader};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::Server;
use crate::events::reached;
use crate::extract::{Named, Search};
use crate::problem::{Problem, Problems};
use crate::sessions::page_size;
use crate::views::Page;

/// Several events as one tamper-evident record. Its hashes are over exactly these bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordView {
    /// What is known without the payload.
    #[schema(value_type = Object)]
    header: RecordHeader,
    /// The events, a JSON array of `{kind, v, data}`; absent once erased.
    payload: Option<String>,
    /// Random bytes that go into the digest, in hex; absent once erased.
    salt: Option<String>,
    /// Digest of salt and payload.
    #[schema(value_type = String)]
    digest: Digest,
    /// Hash of the record before it; zeros for the first.
    #[schema(value_type = String)]
    prev: Digest,
    /// Hash of this record.
    #[schema(value_type = String)]
    hash: Digest,
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

/// From where.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordsQuery {
    /// Only records that hold events after this one.
    after: Option<u64>,
    /// At most this many.
    #[param(minimum = 1, maximum = 500)]
    page_size: Option<u32>,
}

/// A session's log as it is sealed: the next page is after the last record's last event.
#[utoipa::path(get, path = "/v1/sessions/{session}/records", tag = "sessions",
    params(("session" = String, Path), RecordsQuery),
    responses((status = 200, body = Page<RecordView>), Problems))]
pub(crate) async fn records(
    State(server): State<Server>,
    Named(id): Named,
    Search(query): Search<RecordsQuery>,
) -> Result<Json<Page<RecordView>>, Problem> {
    let limit = page_size(query.page_size)?;
    let (reads, after) = (server.engine().reads(), Seq(query.after.unwrap_or(0)));
    reached(&**reads, id, after).await?;
    let records = reads.records(id, after, limit).await?;
    let full = u32::try_from(records.len()).is_ok_and(|count| count == limit);
    let next_page_token = records.last().filter(|_| full).map(|record| record.header.last_seq.to_string());
    Ok(Json(Page { items: records.into_iter().map(RecordView::from).collect(), next_page_token }))
}

#[cfg(test)]
mod tests {
    use provost_domain::event::{EventBody, OperatorSpoke};
    use provost_domain::ids::{CmdId, Fence, Principal, SessionId};
    use provost_domain::log::Unsealed;
    use provost_domain::time::Timestamp;

    use super::*;

    #[test]
    fn a_record_is_the_same_on_the_other_side_and_a_changed_one_does_not_open() {
        let said =
            EventBody::from(OperatorSpoke { by: Principal::new("user:a"), text: "häuft sich \u{1f525}".into() });
        let record = AppendRecord::seal(Unsealed {
            session: SessionId::new(uuid::Uuid::from_u128(7)),
            after: Seq(0),
            fence: Fence(1),
            cmd_id: CmdId::new("c"),
            at: Timestamp::from_micros(5),
            events: &[said],
            salt: [9; 16],
            prev: Digest::default(),
        });
        let wire = serde_json::to_string(&RecordView::from(record.clone())).unwrap();
        let read = |wire: &str| AppendRecord::from(serde_json::from_str::<RecordView>(wire).unwrap());
        assert_eq!(read(&wire), record);
        assert!(read(&wire).open(Seq(0), Digest::default()).is_ok());
        assert!(read(&wire.replace("sich", "sick")).open(Seq(0), Digest::default()).is_err());
    }
}
