-- +goose Up
-- The documents of one customer's house account: what is paid on it is matched with what is owed.
ALTER TABLE document ADD COLUMN customer TEXT GENERATED ALWAYS AS (CASE WHEN json_extract(body, '$.Slip.House') THEN json_extract(body, '$.Slip.Customer') END) VIRTUAL;
CREATE INDEX document_customer ON document (customer, day) WHERE customer IS NOT NULL;
