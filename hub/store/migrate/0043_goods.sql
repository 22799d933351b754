-- +goose Up
-- What the goods of a store-day had cost, by measure (cogs:…, inventory:…): beside the day's own sums, because it goes to the books as a voucher of its own.
CREATE TABLE goods (
    location TEXT NOT NULL,
    day      TEXT NOT NULL,
    measure  TEXT NOT NULL,
    minor    INTEGER NOT NULL,
    currency TEXT NOT NULL,
    PRIMARY KEY (location, day, measure)
) STRICT;

-- First day whose cost of goods is posted, '' = never: an Odoo that values stock itself books it.
ALTER TABLE location ADD COLUMN cogs_from TEXT NOT NULL DEFAULT '';
