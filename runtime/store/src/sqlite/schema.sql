-- Hot and small: one row per session, its authority. `sid` keeps the other tables' keys short. No index covers a column
-- that an ordinary append sets.
CREATE TABLE sessions (
    sid INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    handle TEXT NOT NULL UNIQUE,
    pack TEXT NOT NULL,
    pack_digest BLOB NOT NULL,
    status TEXT NOT NULL,
    ended INTEGER NOT NULL,
    title TEXT NOT NULL,
    head_seq INTEGER NOT NULL,
    head_hash BLOB NOT NULL,
    fence INTEGER NOT NULL,
    owner TEXT,
    wake_seq INTEGER NOT NULL,
    -- The `wake_seq` at which nothing was left unread.
    read_seq INTEGER NOT NULL,
    next_run_at INTEGER,
    progress_at INTEGER NOT NULL,
    takeovers INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_owned ON sessions (owner) WHERE owner IS NOT NULL;
CREATE INDEX sessions_due ON sessions (next_run_at) WHERE next_run_at IS NOT NULL;
CREATE INDEX sessions_unread ON sessions (sid) WHERE wake_seq > read_seq;
CREATE INDEX sessions_dropped ON sessions (sid)
    WHERE owner IS NULL AND next_run_at IS NULL AND ended = 0 AND status = 'in_progress';

-- The log: one fat row per append. A rowid table: wide rows in a WITHOUT ROWID tree are slower.
CREATE TABLE appends (
    sid INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    cmd_id TEXT NOT NULL,
    at INTEGER NOT NULL,
    kinds TEXT NOT NULL,
    payload BLOB,
    salt BLOB,
    digest BLOB NOT NULL,
    prev BLOB NOT NULL,
    hash BLOB NOT NULL,
    UNIQUE (sid, first_seq),
    UNIQUE (sid, cmd_id)
) STRICT;
CREATE TRIGGER appends_no_update BEFORE UPDATE ON appends BEGIN
    SELECT RAISE(ABORT, 'the log is append-only');
END;
CREATE TRIGGER appends_no_delete BEFORE DELETE ON appends BEGIN
    SELECT RAISE(ABORT, 'the log is append-only');
END;

CREATE TABLE snapshots (
    sid INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    header BLOB NOT NULL
) STRICT;

CREATE TABLE contents (
    sha256 BLOB PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT;

CREATE TABLE approvals (
    id TEXT PRIMARY KEY,
    sid INTEGER NOT NULL,
    call TEXT NOT NULL,
    tool TEXT NOT NULL,
    args TEXT NOT NULL,
    args_hash BLOB NOT NULL,
    policy_digest BLOB NOT NULL,
    reason TEXT NOT NULL,
    state TEXT NOT NULL,
    decided_by TEXT,
    requested_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    decided_at INTEGER
) STRICT;
CREATE INDEX approvals_by_session ON approvals (sid, requested_at, id);
CREATE INDEX approvals_by_time ON approvals (requested_at, id);
CREATE INDEX approvals_pending ON approvals (requested_at, id) WHERE state = 'pending';

CREATE TABLE inbox (
    seq INTEGER PRIMARY KEY,
    sid INTEGER NOT NULL,
    cmd_id TEXT NOT NULL,
    command TEXT NOT NULL,
    outcome TEXT,
    UNIQUE (sid, cmd_id)
) STRICT;
CREATE INDEX inbox_unread ON inbox (sid, seq) WHERE outcome IS NULL;

-- Access tokens: only their digests. A name is whose the token is, once among those in force.
CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    digest BLOB NOT NULL,
    created_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    used_at INTEGER,
    revoked_at INTEGER
) STRICT;
CREATE UNIQUE INDEX tokens_by_name ON tokens (name) WHERE revoked_at IS NULL;

-- Requests by their idempotency keys, with the first answer; forgotten after a while.
CREATE TABLE requests (
    key BLOB PRIMARY KEY,
    fingerprint BLOB NOT NULL,
    at INTEGER NOT NULL,
    status INTEGER,
    content_type TEXT,
    location TEXT,
    body BLOB
) STRICT;
CREATE INDEX requests_by_age ON requests (at);
