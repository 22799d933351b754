-- +goose Up
-- Every text of a profile that an agent sent: rows are read by the one that they were made with. Table profile keeps the last of each name, for
-- rows of agents that did not say theirs, and the hub's own.
CREATE TABLE profile_text (
    name    TEXT NOT NULL,
    version TEXT NOT NULL,                 -- a hash of it
    body    TEXT NOT NULL,
    PRIMARY KEY (name, version)
) STRICT;

-- The text that a device sent last under a name. By it its store's refused rows are read again.
CREATE TABLE profile_sent (
    name     TEXT NOT NULL,
    device   TEXT NOT NULL,
    version  TEXT NOT NULL,
    envelope INTEGER NOT NULL,
    PRIMARY KEY (name, device)
) STRICT;

-- Rows that were refused by the version that they were made with, and booked by a later one: they are read by it from then on.
CREATE TABLE read_by (
    envelope INTEGER PRIMARY KEY REFERENCES envelope (id),
    version  TEXT NOT NULL
) STRICT;
