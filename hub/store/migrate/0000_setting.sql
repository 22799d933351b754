-- +goose Up
-- What the database is: its hub id, and marks such as "restored from a backup".
CREATE TABLE setting (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
