-- +goose Up
-- When a store-day changed, and when time alone makes it due.
ALTER TABLE day ADD COLUMN changed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE day ADD COLUMN due INTEGER NOT NULL DEFAULT 0;

CREATE INDEX day_dirty ON day (dirty) WHERE dirty = 1;
CREATE INDEX day_due ON day (due) WHERE due > 0;

-- A document is its own outbox task: what was said to Odoo, and what Odoo says.
ALTER TABLE document ADD COLUMN hash TEXT NOT NULL DEFAULT '';
ALTER TABLE document ADD COLUMN date TEXT NOT NULL DEFAULT '';      -- accounting date to send, '' = the document's own
ALTER TABLE document ADD COLUMN move INTEGER NOT NULL DEFAULT 0;    -- Odoo's id, 0 = not known
ALTER TABLE document ADD COLUMN attempt INTEGER NOT NULL DEFAULT 0;
ALTER TABLE document ADD COLUMN due INTEGER NOT NULL DEFAULT 0;     -- not before
ALTER TABLE document ADD COLUMN checked INTEGER NOT NULL DEFAULT 0; -- when it was read back
ALTER TABLE document ADD COLUMN readback TEXT NOT NULL DEFAULT '';  -- view of what was read, JSON

CREATE INDEX document_state ON document (state, due);
