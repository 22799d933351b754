-- +goose Up
-- How a location's store-days go to Odoo from a day on; no row = one entry a day.
CREATE TABLE posting_mode (
    location TEXT NOT NULL,
    since    TEXT NOT NULL,                -- business date from which it holds, '' = always
    mode     TEXT NOT NULL,                -- entry receipt invoice ticket
    PRIMARY KEY (location, since)
) STRICT;

-- What stands in Odoo of a document besides its first record: payments that belong to a receipt.
CREATE TABLE part (
    document TEXT NOT NULL,
    name     TEXT NOT NULL,
    move     INTEGER NOT NULL,             -- Odoo's id
    PRIMARY KEY (document, name)
) STRICT;

-- A document is the store-day's own, or one of its tickets', or of the series of a voucher.
ALTER TABLE document ADD COLUMN own INTEGER GENERATED ALWAYS AS (series = '' OR series GLOB 'ticket-*') VIRTUAL;

-- The vendor's id of the customer whom a ticket names, where its location's tickets go as documents of their own: theirs names a partner.
CREATE TABLE slip (
    ticket   INTEGER PRIMARY KEY,
    customer TEXT NOT NULL,                -- vendor's id
    person   BLOB NOT NULL                 -- as person.name: an erasure finds it
) STRICT;

-- What head office says that a status means in Odoo; no row = as Tillpost begins.
CREATE TABLE status (
    status  TEXT PRIMARY KEY,
    move    TEXT NOT NULL,
    payment TEXT NOT NULL
) STRICT;

-- Where a document goes is asked of its store-day's other documents, of which there may be one per ticket.
CREATE INDEX document_sent ON document (location, day, number) WHERE sent = 1;
CREATE INDEX document_moved ON document (location, day, number) WHERE move > 0;
