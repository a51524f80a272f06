-- Who may act on what. A row stays after its release: it counts how often a tool acted. `idle`: the call surely did nothing.
CREATE TABLE claims (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    kind TEXT NOT NULL,
    sid INTEGER NOT NULL,
    procedure TEXT,
    call TEXT,
    tool TEXT,
    taken_at INTEGER NOT NULL,
    released_at INTEGER,
    idle INTEGER NOT NULL DEFAULT 0
) STRICT;
-- What acts stands alone on its target.
CREATE UNIQUE INDEX claims_acting ON claims (key) WHERE released_at IS NULL AND kind IN ('act', 'procedure');
CREATE INDEX claims_by_key ON claims (key, taken_at);
CREATE INDEX claims_by_session ON claims (sid, call);
