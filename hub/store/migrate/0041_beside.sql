-- +goose Up
-- A person said that a document is posted although another hub has an entry of its store-day.
ALTER TABLE document ADD COLUMN beside INTEGER NOT NULL DEFAULT 0;
