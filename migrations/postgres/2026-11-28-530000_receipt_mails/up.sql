-- Receipts that are to be sent by mail, and what became of them. next_at is when it is tried next; missing means never.
CREATE TABLE receipt_mails (
    payment_id TEXT PRIMARY KEY NOT NULL REFERENCES payments(id),
    address    TEXT NOT NULL,
    tries      INTEGER NOT NULL,
    asked_at   TIMESTAMPTZ NOT NULL,
    next_at    TIMESTAMPTZ,
    sent_at    TIMESTAMPTZ,
    note       TEXT
);
CREATE INDEX receipt_mails_by_next ON receipt_mails(next_at);
