-- +goose Up
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
