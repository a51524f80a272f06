//! Every row of the tables beside the logs, decoded as it is where it is used. What cannot be read is told, and hides nothing
//! behind it.

use futures::TryStreamExt as _;
use provost_domain::ids::Digest;
use provost_domain::port::{MessageState, StoreError};
use serde_json::Value;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, SqlitePool};

use super::error::failed;
use super::rows::Columns;
use super::{attention, deliveries, inbox, outbox, packs, tokens};

/// Rows of one table that are told one by one; of the others only how many there are.
const NAMED_MAX: u64 = 100;

/// A table, a query for what is decoded of its rows and the `label` that names each, and the decoding.
struct DecodedTable {
    name: &'static str,
    rows: &'static str,
    decode: fn(&SqliteRow) -> Result<(), StoreError>,
}

const TABLES: [DecodedTable; 11] = [
    DecodedTable {
        name: "attention",
        rows: "SELECT coalesce(sessions.id, x''), news, version, state, next_at, CAST(attention.sid AS TEXT) AS label \
               FROM attention LEFT JOIN sessions USING (sid)",
        decode: watched,
    },
    DecodedTable {
        name: "inbox",
        rows: "SELECT cmd_id, command, outcome, CAST(seq AS TEXT) AS label FROM inbox",
        decode: command,
    },
    DecodedTable {
        name: "deliveries",
        rows: "SELECT seq, id, source, sender, state, note, session, length(body), received_at, id AS label FROM deliveries",
        decode: |row| deliveries::listed(row).map(drop),
    },
    DecodedTable {
        name: "delivery_groups",
        rows: "SELECT grp, session, plan, hex(grp) AS label FROM delivery_groups",
        decode: group,
    },
    DecodedTable { name: "marks", rows: "SELECT grp, mark, ended, session, mark AS label FROM marks", decode: mark },
    DecodedTable {
        name: "delivery_refs",
        rows: "SELECT delivery, session, CAST(delivery AS TEXT) AS label FROM delivery_refs",
        decode: reference,
    },
    DecodedTable {
        name: "outbox",
        rows: "SELECT id, session, call, target, args, key, tries, since, state, note, created_at, tried_at, next_at, \
               id AS label FROM outbox",
        decode: message,
    },
    DecodedTable {
        name: "tokens",
        rows: "SELECT id, name, role, digest, created_by, created_at, expires_at, used_at, revoked_at, id AS label FROM tokens",
        decode: |row| tokens::decode(row).map(drop),
    },
    DecodedTable {
        name: "page_sessions",
        rows: "SELECT digest, token, begun_at, expires_at, hex(digest) AS label FROM page_sessions",
        decode: login,
    },
    DecodedTable {
        name: "requests",
        rows: "SELECT key, fingerprint, at, status, content_type, location, hex(key) AS label FROM requests",
        decode: request,
    },
    DecodedTable {
        name: "packs",
        rows: "SELECT digest, name, files, hex(digest) AS label FROM packs",
        decode: |row| packs::decode(row).map(drop),
    },
];

/// What cannot be read, one line each.
pub(super) async fn unreadable(pool: &SqlitePool) -> Vec<String> {
    let mut lines = Vec::new();
    for table in TABLES {
        let mut count = 0;
        let mut rows = sqlx::query(table.rows).fetch(pool);
        loop {
            match rows.try_next().await {
                Ok(None) => break,
                Ok(Some(row)) => {
                    let Err(error) = (table.decode)(&row) else { continue };
                    count += 1;
                    let named = (count <= NAMED_MAX).then(|| label(&row));
                    lines.extend(named.map(|label| format!("row {label} cannot be read: {}", detail(error))));
                }
                Err(error) => {
                    lines.push(format!("table {} cannot be read on: {}", table.name, detail(failed(&error))));
                    break;
                }
            }
        }
        if count > NAMED_MAX {
            lines.push(format!("{} more rows of table {} cannot be read", count - NAMED_MAX, table.name));
        }
    }
    lines
}

fn label(row: &SqliteRow) -> String {
    row.try_get("label").unwrap_or_else(|_| "without a name".to_owned())
}

fn detail(error: StoreError) -> String {
    match error {
        StoreError::Damaged { detail } | StoreError::Failed { detail } | StoreError::Held { detail } => detail,
        error @ (StoreError::Fenced
        | StoreError::Stale
        | StoreError::NotClaimed { .. }
        | StoreError::Erased { .. }
        | StoreError::Missing { .. }) => error.to_string(),
    }
}

fn command(row: &SqliteRow) -> Result<(), StoreError> {
    let mut columns = Columns::of("inbox", row);
    if let Err(unreadable) = inbox::entry(&mut columns)?.command {
        return Err(StoreError::Damaged { detail: unreadable.detail });
    }
    maybe_json(&mut columns)
}

/// A plan of another form is its reader's to tell.
fn group(row: &SqliteRow) -> Result<(), StoreError> {
    let mut columns = Columns::of("delivery_groups", row);
    let _group: Digest = columns.digest()?;
    deliveries::maybe_session(&mut columns)?;
    maybe_json(&mut columns)
}

fn mark(row: &SqliteRow) -> Result<(), StoreError> {
    let mut columns = Columns::of("marks", row);
    let _group: Digest = columns.digest()?;
    let (_name, _ended): (&str, bool) = (columns.get()?, columns.get()?);
    deliveries::maybe_session(&mut columns).map(drop)
}

fn reference(row: &SqliteRow) -> Result<(), StoreError> {
    let mut columns = Columns::of("delivery_refs", row);
    columns.count()?;
    columns.session().map(drop)
}

fn message(row: &SqliteRow) -> Result<(), StoreError> {
    outbox::message(row)?;
    let mut columns = Columns::after("outbox", row, 8);
    let word: &str = columns.get()?;
    let _state: MessageState = word.parse().map_err(|error| columns.wrong(&error))?;
    let _note: &str = columns.get()?;
    columns.time()?;
    columns.maybe_time()?;
    columns.maybe_time().map(drop)
}

/// A state of another form is its reader's to tell.
fn watched(row: &SqliteRow) -> Result<(), StoreError> {
    attention::watched(row)?;
    maybe_json(&mut Columns::after("attention", row, 3))?;
    Columns::after("attention", row, 4).maybe_time().map(drop)
}

fn login(row: &SqliteRow) -> Result<(), StoreError> {
    let mut columns = Columns::of("page_sessions", row);
    columns.digest()?;
    let _token: &str = columns.get()?;
    columns.time()?;
    columns.time().map(drop)
}

fn request(row: &SqliteRow) -> Result<(), StoreError> {
    let mut columns = Columns::of("requests", row);
    columns.digest()?;
    columns.digest()?;
    columns.time()?;
    let status: Option<i64> = columns.get()?;
    status.map(u16::try_from).transpose().map_err(|error| columns.wrong(&error))?;
    let (_kind, _location): (Option<&str>, Option<&str>) = (columns.get()?, columns.get()?);
    Ok(())
}

fn maybe_json(columns: &mut Columns<'_>) -> Result<(), StoreError> {
    let text: Option<&str> = columns.get()?;
    text.map(serde_json::from_str::<Value>).transpose().map(drop).map_err(|error| columns.wrong(&error))
}
