-- Packs as their files, so that a session goes on under the rules it was opened with.
CREATE TABLE packs (
    digest BLOB PRIMARY KEY,
    name TEXT NOT NULL,
    files TEXT NOT NULL
) STRICT;
-- Changes with a session's creation and its last end, with no other append.
CREATE INDEX sessions_by_pack ON sessions (pack_digest)
    WHERE ended = 0 OR status IN ('needs_review', 'error');
