-- +goose Up
-- What a device is, for releases that break one kind of PC alone.
ALTER TABLE device ADD COLUMN platform TEXT NOT NULL DEFAULT ''; -- "windows/amd64"
ALTER TABLE device ADD COLUMN sources  TEXT NOT NULL DEFAULT ''; -- kinds of what it reads

-- A release on its way through the fleet. At most one is not ended; the newest done one is the fleet's release.
CREATE TABLE rollout (
    number   INTEGER PRIMARY KEY AUTOINCREMENT,
    version  TEXT    NOT NULL,
    previous TEXT    NOT NULL,
    plan     TEXT    NOT NULL,            -- rings and limits, JSON
    state    TEXT    NOT NULL,
    why      TEXT    NOT NULL DEFAULT '',
    ring     INTEGER NOT NULL DEFAULT 0,
    since    INTEGER NOT NULL,            -- of ring
    next     INTEGER NOT NULL DEFAULT 0,  -- when the next download may begin
    forgiven INTEGER NOT NULL DEFAULT 0,
    made     INTEGER NOT NULL,
    ended    INTEGER NOT NULL DEFAULT 0,
    who      TEXT    NOT NULL
) STRICT;

-- What a device is told to run, and how far it is with that.
CREATE TABLE device_release (
    device     TEXT PRIMARY KEY REFERENCES device (id),
    family     TEXT    NOT NULL DEFAULT '', -- group of devices that go first, '' = any other
    pin        TEXT    NOT NULL DEFAULT '',
    excluded   INTEGER NOT NULL DEFAULT 0,
    told       TEXT    NOT NULL DEFAULT '',
    before     TEXT    NOT NULL DEFAULT '', -- what it ran when it was told
    told_at    INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER NOT NULL DEFAULT 0,
    back       INTEGER NOT NULL DEFAULT 0, -- told lies on its disk: it ran it before
    step       TEXT    NOT NULL DEFAULT '',
    why        TEXT    NOT NULL DEFAULT '',
    since      INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Each thing that happened to a device on the way: what a person reads when one store went wrong.
CREATE TABLE device_release_step (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    device  TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    version TEXT    NOT NULL,
    what    TEXT    NOT NULL,               -- told, or a step of its own
    why     TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX device_release_step_device ON device_release_step (device, number);
