-- +goose Up
-- Where a document stands once Odoo has it: neither a renamed company nor a location that moves to another takes it along.
ALTER TABLE document ADD COLUMN home INTEGER NOT NULL DEFAULT 0;    -- Odoo's id of the company, 0 = not known: the one of the settings
ALTER TABLE document ADD COLUMN book TEXT NOT NULL DEFAULT '';      -- which of the settings' databases, '' = the first
