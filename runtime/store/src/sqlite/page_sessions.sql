-- People's logins at the page, by the digest of the secret in the browser's cookie.
CREATE TABLE page_sessions (
    digest BLOB PRIMARY KEY,
    token TEXT NOT NULL,
    begun_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX page_sessions_by_end ON page_sessions (expires_at);
