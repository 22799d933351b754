-- +goose Up
ALTER TABLE read_to ADD COLUMN profile TEXT NOT NULL DEFAULT ''; -- what else its source proves
