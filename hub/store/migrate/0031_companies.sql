-- +goose Up
-- Where a document stands: neither a renamed company, nor a location that changes hands, nor other settings take it along.
ALTER TABLE document ADD COLUMN home INTEGER NOT NULL DEFAULT 0;    -- Odoo's id of the company, 0 = not known: the one of the settings
ALTER TABLE document ADD COLUMN book TEXT NOT NULL DEFAULT '';      -- which of the settings' databases, '' = the first
ALTER TABLE document ADD COLUMN sent INTEGER NOT NULL DEFAULT 0;    -- 1 = that database may have it: no other ever gets it
UPDATE document SET sent = 1;
