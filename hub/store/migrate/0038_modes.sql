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
