-- +goose Up
-- How connections to other systems stand: those of a store's agent as it told them, and under the empty device the hub's own.
CREATE TABLE connection (
    device TEXT NOT NULL,
    name   TEXT NOT NULL,
    body   TEXT NOT NULL, -- breaker.Status
    told   BIGINT NOT NULL,
    PRIMARY KEY (device, name)
);
