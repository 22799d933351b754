-- +goose Up
-- The hours of a store's day in which its PCs' programs may be changed; location '*' = stores that have none of their own.
CREATE TABLE store_night (
    number   INTEGER PRIMARY KEY AUTOINCREMENT, -- another one with each change
    location TEXT    NOT NULL UNIQUE,
    begins   INTEGER NOT NULL,                  -- minutes of the day; equal = at any hour
    ends     INTEGER NOT NULL
) STRICT;

-- Which candidates a PC may be given beside what is for everybody: releases of that channel.
ALTER TABLE device_release ADD COLUMN channel TEXT NOT NULL DEFAULT '';
