-- +goose Up
-- Who said that a deposit is posted although it pays store-days of the old way, '' = nobody.
ALTER TABLE voucher ADD COLUMN forced TEXT NOT NULL DEFAULT '';
