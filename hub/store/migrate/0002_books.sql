-- +goose Up
-- What the store says and head office confirms.
CREATE TABLE location (
    code      TEXT PRIMARY KEY,
    name      TEXT NOT NULL DEFAULT '',
    currency  TEXT NOT NULL DEFAULT '',
    company   TEXT NOT NULL DEFAULT '',
    open_days TEXT NOT NULL DEFAULT '',    -- "mon tue …", '' = not known: no day is expected
    confirmed INTEGER NOT NULL DEFAULT 0,
    seen      INTEGER NOT NULL DEFAULT 0,
    told      TEXT NOT NULL DEFAULT ''     -- the store's own last word, JSON
) STRICT;

CREATE TABLE trading (
    location TEXT NOT NULL,
    since    TEXT NOT NULL,                -- business date from which it holds, '' = always
    zone     TEXT NOT NULL,
    cutoff   TEXT NOT NULL,
    PRIMARY KEY (location, since)
) STRICT;

CREATE TABLE till (
    location  TEXT NOT NULL,
    code      TEXT NOT NULL,
    confirmed INTEGER NOT NULL DEFAULT 0,
    number    TEXT NOT NULL DEFAULT '',    -- last ticket
    sequence  INTEGER NOT NULL DEFAULT 0,
    seen      INTEGER NOT NULL DEFAULT 0,
    skew      INTEGER NOT NULL DEFAULT 0,  -- till clock minus agent clock, microseconds
    told      TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (location, code)
) STRICT;

-- One row per identity; one entry per version of it, never changed. undo names the entry that this one takes back.
CREATE TABLE ticket (
    id       INTEGER PRIMARY KEY,
    key      TEXT NOT NULL UNIQUE,
    kind     TEXT NOT NULL,
    location TEXT NOT NULL,
    till     TEXT NOT NULL,
    number   TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    day      TEXT NOT NULL,
    at       INTEGER NOT NULL,
    entry    INTEGER NOT NULL              -- the version in force
) STRICT;

CREATE INDEX ticket_day ON ticket (location, day);
CREATE INDEX ticket_number ON ticket (number);

CREATE TABLE entry (
    id       INTEGER PRIMARY KEY,
    ticket   INTEGER NOT NULL,
    envelope INTEGER NOT NULL,
    outcome  TEXT NOT NULL,                -- ledger.Outcome; only first and replaces post
    undo     INTEGER NOT NULL DEFAULT 0,
    location TEXT NOT NULL,
    day      TEXT NOT NULL,
    hash     BLOB NOT NULL,
    revision INTEGER NOT NULL,
    rank     INTEGER NOT NULL,
    void     INTEGER NOT NULL,
    currency TEXT NOT NULL,
    gross    INTEGER NOT NULL,
    tax      INTEGER NOT NULL,
    rounded  TEXT NOT NULL,
    lines    INTEGER NOT NULL,
    postings TEXT NOT NULL
) STRICT;

CREATE INDEX entry_ticket ON entry (ticket);
CREATE INDEX entry_envelope ON entry (envelope);

CREATE TABLE cursor (
    location TEXT PRIMARY KEY,
    entry    INTEGER NOT NULL
) STRICT;

CREATE INDEX entry_location ON entry (location, id);

CREATE TABLE day (
    location TEXT NOT NULL,
    day      TEXT NOT NULL,
    state    TEXT NOT NULL DEFAULT 'open',
    tickets  INTEGER NOT NULL DEFAULT 0,
    gross    INTEGER NOT NULL DEFAULT 0,
    tax      INTEGER NOT NULL DEFAULT 0,
    currency TEXT NOT NULL DEFAULT '',
    unproven INTEGER NOT NULL DEFAULT 0,
    hold     INTEGER NOT NULL DEFAULT 0,
    approved TEXT NOT NULL DEFAULT '',     -- who, '' = nobody yet, 'auto'
    why      TEXT NOT NULL DEFAULT '',     -- what it waits for
    dirty    INTEGER NOT NULL DEFAULT 1,   -- something changed since it was last looked at
    PRIMARY KEY (location, day)
) STRICT;

CREATE INDEX day_state ON day (state);

CREATE TABLE total (
    location TEXT NOT NULL,
    day      TEXT NOT NULL,
    measure  TEXT NOT NULL,
    minor    INTEGER NOT NULL,
    currency TEXT NOT NULL,
    PRIMARY KEY (location, day, measure)
) STRICT;

CREATE TABLE read_to (
    source   TEXT NOT NULL,                -- device/source
    location TEXT NOT NULL,
    through  INTEGER NOT NULL,
    PRIMARY KEY (source, location)
) STRICT;

CREATE TABLE control (
    source   TEXT NOT NULL,
    location TEXT NOT NULL,
    day      TEXT NOT NULL,
    body     TEXT NOT NULL,
    PRIMARY KEY (source, location, day)
) STRICT;

CREATE TABLE document (
    id       TEXT PRIMARY KEY,
    location TEXT NOT NULL,
    day      TEXT NOT NULL,
    number   INTEGER NOT NULL,
    state    TEXT NOT NULL,                -- posting posted verified parked waiting
    body     TEXT NOT NULL,                -- rollup.Document as JSON
    odoo     TEXT NOT NULL DEFAULT '',     -- entry number and id in Odoo
    why      TEXT NOT NULL DEFAULT '',
    made     INTEGER NOT NULL,
    changed  INTEGER NOT NULL,
    UNIQUE (location, day, number)
) STRICT;

CREATE TABLE rule (
    role     TEXT NOT NULL,
    code     TEXT NOT NULL,
    location TEXT NOT NULL DEFAULT '',
    since    TEXT NOT NULL DEFAULT '',
    target   TEXT NOT NULL,
    PRIMARY KEY (role, code, location, since)
) STRICT;

CREATE TABLE profile (
    name TEXT NOT NULL,
    own  INTEGER NOT NULL,                 -- 1 = set at the hub: it wins over what agents send
    body TEXT NOT NULL,
    PRIMARY KEY (name, own)
) STRICT;

CREATE TABLE kase (
    id       TEXT PRIMARY KEY,
    cause    TEXT NOT NULL,
    state    TEXT NOT NULL,
    location TEXT NOT NULL,
    day      TEXT NOT NULL,
    body     TEXT NOT NULL,                -- cases.Case as JSON
    opened   INTEGER NOT NULL,
    closed   INTEGER NOT NULL DEFAULT 0,
    seen     INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE INDEX kase_state ON kase (state, cause);

-- Every step a person or the hub took: on a case, a ticket, a document, a setting.
CREATE TABLE step (
    id      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    subject TEXT NOT NULL,                 -- "case …", "document …", "mapping", "location …"
    who     TEXT NOT NULL,
    what    TEXT NOT NULL,
    reason  TEXT NOT NULL DEFAULT '',
    before  TEXT NOT NULL DEFAULT '',
    after   TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX step_subject ON step (subject);
