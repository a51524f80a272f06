-- Erasing what closed sessions said, and pruning what is finished and old.
ALTER TABLE sessions ADD COLUMN erased_at INTEGER;
-- Sessions that have ended, by age.
CREATE INDEX sessions_quiet ON sessions (progress_at) WHERE ended = 1 AND owner IS NULL AND erased_at IS NULL;

-- The sessions that refer to a content: it goes with the last of them.
CREATE TABLE content_refs (
    sha256 BLOB NOT NULL,
    sid INTEGER NOT NULL,
    PRIMARY KEY (sha256, sid)
) STRICT, WITHOUT ROWID;
CREATE INDEX content_refs_by_session ON content_refs (sid);
INSERT OR IGNORE INTO content_refs (sha256, sid)
    SELECT contents.sha256, appends.sid
    FROM appends
        -- What is damaged refers to nothing, and is the audit's to tell.
        JOIN json_tree(iif(json_valid(CAST(appends.payload AS TEXT)), CAST(appends.payload AS TEXT), 'null')) AS node
            ON node.key = 'sha256' AND node.type = 'text'
        JOIN contents ON contents.sha256 = unhex(node.atom)
    WHERE appends.payload IS NOT NULL;

-- The files still hold bytes of what was erased since then: the database until it is rewritten, then only its log.
CREATE TABLE scrub (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    since INTEGER NOT NULL,
    rewritten INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX deliveries_by_session ON deliveries (session) WHERE session IS NOT NULL;
CREATE INDEX deliveries_by_group ON deliveries (grp, received_at) WHERE grp IS NOT NULL;
CREATE INDEX deliveries_finished ON deliveries (received_at) WHERE state <> 'waiting';
CREATE INDEX delivery_groups_by_session ON delivery_groups (session) WHERE session IS NOT NULL;
CREATE INDEX outbox_finished ON outbox (created_at) WHERE state <> 'waiting';
-- A bad delivery that was replayed lives on in its copy.
UPDATE deliveries SET body = x'' WHERE state = 'done' AND note LIKE 'replayed as %';

-- The one way out of an append: payload and salt together, and only once the session's last record says that they were
-- erased.
DROP TRIGGER appends_no_update;
CREATE TRIGGER appends_no_update BEFORE UPDATE ON appends
WHEN NOT (
    new.payload IS NULL AND new.salt IS NULL
    AND new.rowid = old.rowid AND new.sid = old.sid AND new.first_seq = old.first_seq AND new.last_seq = old.last_seq
    AND new.fence = old.fence AND new.cmd_id = old.cmd_id AND new.at = old.at AND new.kinds = old.kinds
    AND new.digest = old.digest AND new.prev = old.prev AND new.hash = old.hash
    AND EXISTS (
        SELECT 1 FROM sessions JOIN appends AS last ON last.sid = sessions.sid AND last.first_seq = sessions.head_seq
        WHERE sessions.sid = old.sid AND sessions.erased_at IS NOT NULL
            AND last.kinds = 'session_erased' AND last.first_seq > old.last_seq
    )
)
BEGIN
    SELECT RAISE(ABORT, 'the log is append-only');
END;
