-- +goose Up
-- What stores' PCs shall be, in layers. Nothing is changed in place: the newest version of a layer counts, '' sets nothing.
CREATE TABLE desired_layer (
    number  INTEGER PRIMARY KEY AUTOINCREMENT,
    scope   TEXT    NOT NULL,            -- fleet, location or device
    name    TEXT    NOT NULL,            -- '' for the fleet
    version INTEGER NOT NULL,            -- 1, 2, … of this layer
    body    TEXT    NOT NULL,            -- TOML
    who     TEXT    NOT NULL,
    reason  TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    UNIQUE (scope, name, version)
) STRICT;

-- The word that each PC was told, and what it said of it.
CREATE TABLE desired_word (
    device  TEXT PRIMARY KEY REFERENCES device (id),
    version INTEGER NOT NULL,
    hash    TEXT    NOT NULL,            -- of the settings
    word    TEXT    NOT NULL,            -- of everything in it
    body    BLOB    NOT NULL,            -- as it stands on the topic
    made    INTEGER NOT NULL,
    report  TEXT    NOT NULL DEFAULT '', -- desired.Report as JSON
    seen    INTEGER NOT NULL DEFAULT 0,
    fault   TEXT    NOT NULL DEFAULT ''  -- why no word can be made of the layers, '' = one can
) STRICT;

-- What PCs were asked to do once.
CREATE TABLE device_command (
    id      TEXT PRIMARY KEY,
    number  INTEGER NOT NULL,            -- gives their order
    device  TEXT    NOT NULL REFERENCES device (id),
    body    TEXT    NOT NULL,            -- desired.Command as JSON
    who     TEXT    NOT NULL,
    reason  TEXT    NOT NULL,
    made    INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    outcome TEXT    NOT NULL DEFAULT '', -- '' = not known yet
    detail  TEXT    NOT NULL DEFAULT '',
    ended   INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX device_command_device ON device_command (device, number);

-- Support bundles that were asked for.
CREATE TABLE device_bundle (
    command TEXT PRIMARY KEY REFERENCES device_command (id),
    device  TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    size    INTEGER NOT NULL,
    body    BLOB    NOT NULL
) STRICT;
