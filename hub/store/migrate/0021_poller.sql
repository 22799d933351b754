-- +goose Up
-- The vendor accounts that each device says it could read, and who reads each account now.
CREATE TABLE poll (
    device TEXT NOT NULL,
    tenant TEXT NOT NULL,
    whole  INTEGER NOT NULL, -- all of its locations
    PRIMARY KEY (device, tenant)
);
CREATE TABLE poller (
    tenant TEXT PRIMARY KEY,
    device TEXT NOT NULL,    -- '' = nobody
    since  BIGINT NOT NULL
);
