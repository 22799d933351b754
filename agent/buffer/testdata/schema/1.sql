-- One table per stream, so that a row's place is its key and a drain reads one b-tree from end to end.
CREATE TABLE IF NOT EXISTS stream (
    name    TEXT PRIMARY KEY,
    epoch   BLOB NOT NULL,
    last    INTEGER NOT NULL, -- last sequence, 0 = none
    sum     BLOB NOT NULL,    -- its Sum
    acked   INTEGER NOT NULL, -- the hub's head as far as we know
    trimmed INTEGER NOT NULL, -- last sequence that was deleted
    base    BLOB NOT NULL     -- its Sum
) STRICT;

CREATE TABLE IF NOT EXISTS cursor (source TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE IF NOT EXISTS sales (
    seq          INTEGER PRIMARY KEY,
    location     TEXT NOT NULL,
    kind         TEXT NOT NULL,
    key          TEXT NOT NULL,
    content_type TEXT NOT NULL,
    at           INTEGER NOT NULL, -- Unix microseconds
    part         INTEGER NOT NULL,
    parts        INTEGER NOT NULL,
    sum          BLOB NOT NULL,
    body         BLOB NOT NULL     -- sealed: AES-256-GCM, nonce in front, bound to sum
) STRICT;

CREATE TABLE IF NOT EXISTS state (
    seq INTEGER PRIMARY KEY, location TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, content_type TEXT NOT NULL, at INTEGER NOT NULL,
    part INTEGER NOT NULL, parts INTEGER NOT NULL, sum BLOB NOT NULL, body BLOB NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS history (
    seq INTEGER PRIMARY KEY, location TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, content_type TEXT NOT NULL, at INTEGER NOT NULL,
    part INTEGER NOT NULL, parts INTEGER NOT NULL, sum BLOB NOT NULL, body BLOB NOT NULL
) STRICT;
