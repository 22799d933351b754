-- +goose Up
-- When documents of a store-day were taken back from Odoo after the hub was put back from a backup, 0 = never, or all its tickets are here again:
-- until then nothing of what Odoo holds is taken back for want of tickets.
ALTER TABLE day ADD COLUMN adopted INTEGER NOT NULL DEFAULT 0;

-- Streams of which everything is here again since then.
CREATE TABLE came_back (
    device TEXT    NOT NULL,
    stream TEXT    NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (device, stream)
) STRICT;
