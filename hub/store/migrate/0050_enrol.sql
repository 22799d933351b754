-- +goose Up
-- The hub's own certificate authority. Its key is sealed under hub.secret.
CREATE TABLE authority (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    cert    BLOB    NOT NULL,            -- DER
    key     BLOB    NOT NULL,            -- PKCS #8, sealed
    created INTEGER NOT NULL
) STRICT;

-- One-time codes. A used one stays for a while, so that a PC whose answer was lost can ask again with the same key, and nobody else.
CREATE TABLE enrol_code (
    id      TEXT PRIMARY KEY,            -- its first four signs: no secret
    device  TEXT    NOT NULL REFERENCES device (id),
    key     BLOB    NOT NULL,            -- argon2id of the code, sealed
    made    INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    who     TEXT    NOT NULL,
    wrong   INTEGER NOT NULL DEFAULT 0,  -- proofs that did not fit
    used    INTEGER NOT NULL DEFAULT 0,
    pc      BLOB,                        -- SHA-256 of the public key that used it
    serial  TEXT    NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX enrol_code_device ON enrol_code (device);

-- Every certificate that was issued. number gives their order.
CREATE TABLE certificate (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    serial TEXT    NOT NULL UNIQUE,      -- hex
    device TEXT    NOT NULL REFERENCES device (id),
    key    BLOB    NOT NULL,             -- SHA-256 of its public key
    der    BLOB    NOT NULL,
    begins INTEGER NOT NULL,
    ends   INTEGER NOT NULL,
    used   INTEGER NOT NULL DEFAULT 0,   -- when it first came in
    ended  INTEGER NOT NULL DEFAULT 0,
    why    TEXT    NOT NULL DEFAULT '',  -- revoked, replaced or renewed
    UNIQUE (device, key)
) STRICT;

-- Devices whose rights changed: the broker looks at their connections again at once.
CREATE TABLE device_change (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    device TEXT    NOT NULL,
    at     INTEGER NOT NULL
) STRICT;
