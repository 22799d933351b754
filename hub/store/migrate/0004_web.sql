-- +goose Up
-- People who may sign in to the pages.
CREATE TABLE login (
    name      TEXT PRIMARY KEY,
    role      TEXT NOT NULL,               -- admin it finance store auditor
    locations TEXT NOT NULL DEFAULT '[]',  -- JSON list of codes; [] = all
    password  TEXT NOT NULL,               -- argon2id in PHC form
    stamp     INTEGER NOT NULL,            -- goes up with password, role, locations: older sessions end
    disabled  INTEGER NOT NULL DEFAULT 0,
    created   INTEGER NOT NULL,
    signed_in INTEGER NOT NULL DEFAULT 0
) STRICT;

-- token is a hash of what the browser holds: a copy of the database opens no session.
CREATE TABLE session (
    token  TEXT PRIMARY KEY,
    data   BLOB NOT NULL,
    expiry INTEGER NOT NULL
) STRICT;

CREATE INDEX session_expiry ON session (expiry);
