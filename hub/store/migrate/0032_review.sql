-- +goose Up
-- Who lets a location's days go, the first day of it that Tillpost itself posts, and the journal that the old way writes to.
ALTER TABLE location ADD COLUMN review TEXT NOT NULL DEFAULT '';       -- auto or person, '' = as head office says for all
ALTER TABLE location ADD COLUMN shadow_until TEXT NOT NULL DEFAULT ''; -- first business day that is posted, '' = as head office says
ALTER TABLE location ADD COLUMN old_journal TEXT NOT NULL DEFAULT '';  -- journal code, '' = its entries are known by the analytic account
