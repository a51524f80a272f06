-- Whose people are to be told something. `news`: the last append that may have changed what they are needed for; `seen`: the
-- news that a look saw; `state`: what was told so far.
CREATE TABLE attention (
    sid INTEGER PRIMARY KEY,
    news INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    version INTEGER NOT NULL,
    state TEXT,
    next_at INTEGER
) STRICT;
CREATE INDEX attention_news ON attention (sid) WHERE news > seen;
CREATE INDEX attention_due ON attention (next_at) WHERE next_at IS NOT NULL;
-- What waits for people since before this step.
INSERT INTO attention (sid, news, seen, version)
    SELECT sid, head_seq, 0, 0 FROM sessions
    WHERE erased_at IS NULL AND head_seq > 0 AND (ended = 0 OR status IN ('needs_review', 'error'));
-- The runtime's own messages about a session reach a target in their order.
CREATE INDEX outbox_in_order ON outbox (session, target, seq) WHERE state = 'waiting' AND call = 'attention';
