-- +goose Up
-- What people have in the hand when they ask for a record: the gateway's number of a payment, a batch's and a deposit's, an entry's number
-- and id in Odoo, a customer's records.
ALTER TABLE payment ADD COLUMN number TEXT NOT NULL DEFAULT ''; -- the vendor's id, as batches and tills name it
UPDATE payment SET number = COALESCE(json_extract(body, '$.key.id'), '');
CREATE INDEX payment_number ON payment (number);
CREATE INDEX batch_number ON batch (number);
CREATE INDEX settlement_number ON settlement (number);
CREATE INDEX document_move ON document (move);
CREATE INDEX document_odoo ON document (odoo);
CREATE INDEX used_voucher ON used (voucher);
CREATE INDEX body_person ON body (person) WHERE person > 0;

-- Lines of goods whose cost no till told, counted on the entry and on its store-day. What was booked before is not counted.
ALTER TABLE entry ADD COLUMN uncosted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE day ADD COLUMN uncosted INTEGER NOT NULL DEFAULT 0;
