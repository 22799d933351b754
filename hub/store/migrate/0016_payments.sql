-- +goose Up
-- Card payments as the gateway knows them: one row per identity in its version in force, matched to a tender of a ticket.
CREATE TABLE payment (
    id         INTEGER PRIMARY KEY,
    key        TEXT NOT NULL UNIQUE,
    location   TEXT NOT NULL,
    day        TEXT NOT NULL,                  -- UTC date, '' = its time is not known
    at         INTEGER NOT NULL,
    state      TEXT NOT NULL,
    currency   TEXT NOT NULL,
    amount     INTEGER NOT NULL,
    batch      TEXT NOT NULL,
    revision   INTEGER NOT NULL,
    body       TEXT NOT NULL,                  -- retail.Payment as JSON
    tender     INTEGER NOT NULL DEFAULT 0,
    confidence TEXT NOT NULL DEFAULT '',
    why        TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX payment_day ON payment (location, day);
CREATE INDEX payment_tender ON payment (tender) WHERE tender > 0;
CREATE INDEX payment_batch ON payment (batch) WHERE batch <> '';

-- Every version of a payment that told something new.
CREATE TABLE payment_version (
    id       INTEGER PRIMARY KEY,
    payment  INTEGER NOT NULL,
    envelope INTEGER NOT NULL,
    state    TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount   INTEGER NOT NULL,
    tip      INTEGER NOT NULL,
    revision INTEGER NOT NULL
) STRICT;

CREATE INDEX payment_version_payment ON payment_version (payment);

-- Card tenders of tickets in their version in force: what a payment can belong to. The id is the ticket's and the place on it, so that a
-- ticket's tenders are found, and replaced, without an index of their own: every card sale is a row here.
CREATE TABLE tender (
    id       INTEGER PRIMARY KEY,              -- ticket * 1000 + place
    void     INTEGER NOT NULL,
    type     TEXT NOT NULL,
    brand    TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount   INTEGER NOT NULL,
    ref      TEXT NOT NULL,
    last4    TEXT NOT NULL,
    auth     TEXT NOT NULL
) STRICT;

CREATE INDEX tender_ref ON tender (ref) WHERE ref <> '';

-- Days, by UTC, on which payments or tenders changed since they were matched.
CREATE TABLE match_due (
    location TEXT NOT NULL,
    day      TEXT NOT NULL,
    PRIMARY KEY (location, day)
) STRICT;

CREATE TABLE batch (
    id       INTEGER PRIMARY KEY,
    key      TEXT NOT NULL UNIQUE,
    number   TEXT NOT NULL,                    -- the vendor's id, as payments name it
    location TEXT NOT NULL,
    opened   INTEGER NOT NULL,
    state    TEXT NOT NULL,
    revision INTEGER NOT NULL,
    body     TEXT NOT NULL                     -- retail.Batch as JSON
) STRICT;

CREATE INDEX batch_opened ON batch (location, opened);

-- Deposits, the payments in them, disputes and the month's fees.
CREATE TABLE settlement (
    id       INTEGER PRIMARY KEY,
    kind     TEXT NOT NULL,                    -- deposit settled dispute fees
    key      TEXT NOT NULL UNIQUE,
    location TEXT NOT NULL,
    merchant TEXT NOT NULL,
    number   TEXT NOT NULL,                    -- the vendor's id
    day      TEXT NOT NULL,
    minor    INTEGER NOT NULL,
    deposit  TEXT NOT NULL,                    -- vendor id of the deposit that it went into
    envelope INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    body     TEXT NOT NULL                     -- the record as JSON
) STRICT;

CREATE INDEX settlement_day ON settlement (kind, day);
CREATE INDEX settlement_deposit ON settlement (deposit) WHERE deposit <> '';

ALTER TABLE read_to ADD COLUMN kind TEXT NOT NULL DEFAULT '';  -- of what: '' = tickets, 'payments'
