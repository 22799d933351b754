-- +goose Up
-- Tickets that are known under two keys: an export's, by the number on the receipt, and the vendor's own.
CREATE TABLE alias (
    alias TEXT PRIMARY KEY,
    key   TEXT NOT NULL -- under which the ticket stands, or will
);
CREATE INDEX alias_key ON alias (key);
