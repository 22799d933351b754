-- +goose Up
-- Where a document goes is asked of its store-day's other documents, of which there may be one per ticket.
CREATE INDEX document_sent ON document (location, day, number) WHERE sent = 1;
CREATE INDEX document_moved ON document (location, day, number) WHERE move > 0;
