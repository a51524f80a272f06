-- What speaks of which session, so that an erasure looks it up.

-- Kept answers. One of which that is not known goes with the first session that is erased: a refusal, which quotes what it
-- refuses, and what was kept before this step.
ALTER TABLE requests ADD COLUMN unlinked INTEGER NOT NULL DEFAULT 0;
UPDATE requests SET unlinked = 1 WHERE status IS NOT NULL;
CREATE INDEX requests_unlinked ON requests (key) WHERE unlinked = 1;
CREATE TABLE request_refs (
    key BLOB NOT NULL REFERENCES requests (key) ON DELETE CASCADE,
    sid INTEGER NOT NULL,
    PRIMARY KEY (key, sid)
) STRICT, WITHOUT ROWID;
CREATE INDEX request_refs_by_session ON request_refs (sid);

-- The sessions a delivery speaks of besides the one it went to.
CREATE TABLE delivery_refs (
    delivery INTEGER NOT NULL REFERENCES deliveries (seq) ON DELETE CASCADE,
    session BLOB NOT NULL,
    PRIMARY KEY (delivery, session)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_refs_by_session ON delivery_refs (session);
-- The session that was told about a mark last.
ALTER TABLE marks ADD COLUMN session BLOB;
UPDATE marks SET session = (SELECT session FROM delivery_groups WHERE delivery_groups.grp = marks.grp);
CREATE INDEX marks_by_session ON marks (session) WHERE session IS NOT NULL;
