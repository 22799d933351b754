-- +goose Up
-- A document belongs to the store-day itself or to the series of a voucher. The old table's UNIQUE does not know series: it is made anew.
CREATE TABLE document_new (
    id       TEXT PRIMARY KEY,
    location TEXT NOT NULL,
    day      TEXT NOT NULL,
    series   TEXT NOT NULL DEFAULT '',
    number   INTEGER NOT NULL,
    state    TEXT NOT NULL,                -- posting posted verified parked waiting accepted
    body     TEXT NOT NULL,                -- rollup.Document as JSON
    odoo     TEXT NOT NULL DEFAULT '',     -- entry number and id in Odoo
    why      TEXT NOT NULL DEFAULT '',
    made     INTEGER NOT NULL,
    changed  INTEGER NOT NULL,
    hash     TEXT NOT NULL DEFAULT '',
    date     TEXT NOT NULL DEFAULT '',     -- accounting date to send, '' = the document's own
    move     INTEGER NOT NULL DEFAULT 0,   -- Odoo's id, 0 = not known
    attempt  INTEGER NOT NULL DEFAULT 0,
    due      INTEGER NOT NULL DEFAULT 0,   -- not before
    checked  INTEGER NOT NULL DEFAULT 0,   -- when it was read back
    readback TEXT NOT NULL DEFAULT '',     -- view of what was read, JSON
    entry    INTEGER NOT NULL DEFAULT 0,   -- up to which entry it goes
    UNIQUE (location, day, series, number)
) STRICT;
INSERT INTO document_new (id, location, day, number, state, body, odoo, why, made, changed, hash, date, move, attempt, due, checked, readback, entry)
    SELECT id, location, day, number, state, body, odoo, why, made, changed, hash, date, move, attempt, due, checked, readback, entry FROM document;
DROP TABLE document;
ALTER TABLE document_new RENAME TO document;
CREATE INDEX document_state ON document (state, due);

-- What happened to takings after the till: ledger.Voucher with where it stands.
CREATE TABLE voucher (
    series   TEXT NOT NULL,
    location TEXT NOT NULL,
    day      TEXT NOT NULL,
    kind     TEXT NOT NULL,
    state    TEXT NOT NULL DEFAULT 'posting',
    why      TEXT NOT NULL DEFAULT '',
    body     TEXT NOT NULL,
    dirty    INTEGER NOT NULL DEFAULT 1,
    made     INTEGER NOT NULL,
    PRIMARY KEY (location, day, series)
) STRICT;
CREATE INDEX voucher_series ON voucher (series);
CREATE INDEX voucher_dirty ON voucher (dirty) WHERE dirty = 1;

-- Movements on the company's bank accounts.
CREATE TABLE bank_line (
    key      TEXT PRIMARY KEY,
    account  TEXT NOT NULL,
    booked   TEXT NOT NULL,
    minor    INTEGER NOT NULL,
    currency TEXT NOT NULL,
    text     TEXT NOT NULL,
    code     TEXT NOT NULL DEFAULT '',
    file     TEXT NOT NULL DEFAULT '',     -- where it was read first
    voucher  TEXT NOT NULL DEFAULT '',     -- series, '' = it stands in none
    why      TEXT NOT NULL DEFAULT '',     -- why not
    odoo     INTEGER NOT NULL DEFAULT 0,   -- its statement line in Odoo, 0 = not known
    cleared  INTEGER NOT NULL DEFAULT 0,   -- 1 = reconciled there with its voucher
    tried    INTEGER NOT NULL DEFAULT 0,   -- when that was tried last
    made     INTEGER NOT NULL
) STRICT;
CREATE INDEX bank_line_booked ON bank_line (booked);
CREATE INDEX bank_line_open ON bank_line (booked) WHERE voucher = '';

-- What else stands in a voucher, once: "batch …", "bag S1 2026-11-20", "dispute …", "bill …".
CREATE TABLE used (
    subject TEXT PRIMARY KEY,
    voucher TEXT NOT NULL,
    day     TEXT NOT NULL,
    body    TEXT NOT NULL DEFAULT ''       -- settle.Batch of a batch, JSON: usual fees are learned from it
) STRICT;
CREATE INDEX used_day ON used (day);
