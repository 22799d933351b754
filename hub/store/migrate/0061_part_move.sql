-- +goose Up
-- A payment or entry of Odoo's that stands beside a document's first record is found by its id.
CREATE INDEX part_move ON part (move);
