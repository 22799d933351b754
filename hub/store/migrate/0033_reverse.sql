-- +goose Up
-- A store-day that a person took back: what stays of it because it is matched in Odoo (rollup lines, JSON), '' = it was not taken back.
ALTER TABLE day ADD COLUMN reversed TEXT NOT NULL DEFAULT '';
