-- +goose Up
-- What the database is: its hub id, and marks such as "restored from a backup".
CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- Who may send, and for which locations.
CREATE TABLE device (
    id       TEXT PRIMARY KEY,
    password TEXT NOT NULL,           -- argon2id in PHC form
    disabled INTEGER NOT NULL DEFAULT 0,
    created  INTEGER NOT NULL,        -- every time is Unix microseconds, UTC
    online   INTEGER NOT NULL DEFAULT 0,
    seen     INTEGER NOT NULL DEFAULT 0, -- when it last came or went
    version  TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE assignment (
    device   TEXT NOT NULL REFERENCES device (id),
    location TEXT NOT NULL,           -- '*' = every location
    since    INTEGER NOT NULL,
    until    INTEGER NOT NULL DEFAULT 0, -- 0 = still
    PRIMARY KEY (device, location, since)
) STRICT;

-- A lane is one stream of one device in one epoch; its head is the last position that is committed.
CREATE TABLE lane (
    id      INTEGER PRIMARY KEY,
    device  TEXT NOT NULL,
    stream  TEXT NOT NULL,
    epoch   BLOB NOT NULL,
    seq     INTEGER NOT NULL,
    sum     BLOB NOT NULL,
    stopped TEXT NOT NULL DEFAULT '', -- why it waits for a person
    changed INTEGER NOT NULL,
    UNIQUE (device, stream, epoch)
) STRICT;

-- The audit trail: every envelope that was acknowledged. Bodies stand apart, so that erasing one leaves the chain whole.
CREATE TABLE envelope (
    id           INTEGER PRIMARY KEY,
    lane         INTEGER NOT NULL,    -- no foreign key: it would be looked up for every row
    seq          INTEGER NOT NULL,
    location     TEXT NOT NULL,
    kind         TEXT NOT NULL,
    key          TEXT NOT NULL,
    content_type TEXT NOT NULL,
    at           INTEGER NOT NULL,
    received     INTEGER NOT NULL,
    part         INTEGER NOT NULL,
    parts        INTEGER NOT NULL,
    sum          BLOB NOT NULL,
    refusal      TEXT NOT NULL DEFAULT '', -- why it could not be understood or posted, '' = it was
    UNIQUE (lane, seq)
) STRICT;

CREATE INDEX envelope_refused ON envelope (id) WHERE refusal <> '';
CREATE INDEX envelope_key ON envelope (key);

-- Raw records that may stay together, compressed: one row per batch.
CREATE TABLE block (
    id    INTEGER PRIMARY KEY,
    lane  INTEGER NOT NULL,
    first INTEGER NOT NULL,            -- sequences
    last  INTEGER NOT NULL,
    form  INTEGER NOT NULL,            -- 0 = the agent's batch as it came, 1 = frames
    bytes BLOB NOT NULL,
    UNIQUE (lane, first)
) STRICT;

-- Raw records apart: those that name a customer, could not be understood, or are a part of a larger one.
CREATE TABLE body (
    envelope INTEGER PRIMARY KEY REFERENCES envelope (id),
    person   INTEGER NOT NULL DEFAULT 0, -- 0 = plain; else sealed with that person's key
    bytes    BLOB NOT NULL
) STRICT;

-- One key per customer that a record names. Erasing a customer deletes the key; the sealed bodies stay as noise.
CREATE TABLE person (
    id     INTEGER PRIMARY KEY,
    name   TEXT NOT NULL UNIQUE,      -- HMAC of tenant and customer id, not the id
    key    BLOB NOT NULL,             -- AES-256 key, wrapped by the hub's secret; empty = erased
    erased INTEGER NOT NULL DEFAULT 0
) STRICT;
