-- +goose Up
-- The troubles that people were told of and that last, as far as they know: notify.Trouble as JSON.
CREATE TABLE trouble (
    key  TEXT PRIMARY KEY,
    body TEXT NOT NULL
) STRICT;

-- What is to be told, once per channel: stored before anything is sent.
CREATE TABLE notice (
    id      TEXT NOT NULL,
    channel TEXT NOT NULL,
    body    TEXT NOT NULL,                 -- notify.Notice as JSON
    made    INTEGER NOT NULL,
    due     INTEGER NOT NULL DEFAULT 0,    -- not before
    attempt INTEGER NOT NULL DEFAULT 0,
    sent    INTEGER NOT NULL DEFAULT 0,    -- 0 = it waits
    why     TEXT NOT NULL DEFAULT '',      -- the last refusal
    PRIMARY KEY (id, channel)
) STRICT;

CREATE INDEX notice_waits ON notice (channel, made) WHERE sent = 0;
