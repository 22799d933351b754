-- +goose Up
-- What becomes of a document whose period is closed: the location's rule, and what it came to for each document.
ALTER TABLE location ADD COLUMN closed_period TEXT NOT NULL DEFAULT ''; -- hold, next or ask, '' = as head office says for all
ALTER TABLE document ADD COLUMN period TEXT NOT NULL DEFAULT '';        -- the rule when it was made, '' = hold
ALTER TABLE document ADD COLUMN loaded TEXT NOT NULL DEFAULT '';        -- the date its draft was last given in Odoo, '' = date
ALTER TABLE document ADD COLUMN moved TEXT NOT NULL DEFAULT '';         -- why date is not its own day, '' = it is
ALTER TABLE document ADD COLUMN held INTEGER NOT NULL DEFAULT 0;        -- it waits for a closed period, and what comes late of the day with it
