-- Messages to the outside: stored before they are sent, each once by its key. `next_at` is NULL unless it waits.
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL UNIQUE,
    target TEXT NOT NULL,
    session BLOB NOT NULL,
    call TEXT NOT NULL,
    args TEXT NOT NULL,
    state TEXT NOT NULL,
    note TEXT NOT NULL,
    tries INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    since INTEGER NOT NULL,
    tried_at INTEGER,
    next_at INTEGER
) STRICT;
CREATE INDEX outbox_waiting ON outbox (target, next_at) WHERE state = 'waiting';
CREATE INDEX outbox_by_session ON outbox (session, seq);
