-- +goose Up
-- How far the calendar of open days was looked at, '' = never: a hub that was off for a week still asks for that week.
ALTER TABLE location ADD COLUMN expected TEXT NOT NULL DEFAULT '';

-- What an agent says is wrong at its store: its last word, JSON.
ALTER TABLE device ADD COLUMN health TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN told INTEGER NOT NULL DEFAULT 0;

-- A refused record's text as a person mended it. The record as it came stays beside it; one that names a customer is sealed with that
-- customer's key, so that an erasure takes it along.
CREATE TABLE edit (
    envelope INTEGER PRIMARY KEY REFERENCES envelope (id),
    person   INTEGER NOT NULL DEFAULT 0,
    bytes    BLOB NOT NULL
) STRICT;

-- When entries were added to their store-days: up to which entry, to the second.
CREATE TABLE folded (
    at    INTEGER PRIMARY KEY,
    entry INTEGER NOT NULL
) STRICT;

CREATE INDEX folded_entry ON folded (entry);

-- Up to which entry a document's day was added up when it was made: it holds what came since the one before. 0 = not known.
ALTER TABLE document ADD COLUMN entry INTEGER NOT NULL DEFAULT 0;
