-- +goose Up
-- What becomes of unredeemed gift cards from a day on, of a location or of all of a company's.
CREATE TABLE gift_policy (
    location TEXT NOT NULL,                -- '' = the company's
    company  TEXT NOT NULL,                -- '' = the settings' own, or a location's
    since    TEXT NOT NULL,
    rate     TEXT NOT NULL,                -- percent of what is sold that is never redeemed, '0' = no breakage
    dormancy INTEGER NOT NULL,             -- months until a state is owed a card, 0 = never
    tender   TEXT NOT NULL,                -- the tills' for gift cards
    at       TEXT NOT NULL,                -- the location whose documents a company's are
    PRIMARY KEY (location, company, since)
) STRICT;
