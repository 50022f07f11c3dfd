-- The whole life of a payment: what is asked about again, what expires, what an idempotency key stands for, and what others
-- are to be told.

ALTER TABLE payments ADD COLUMN expires_at_ms INTEGER CHECK (expires_at_ms >= 0);

-- What nobody acted on in time: few rows at any time.
CREATE INDEX payments_to_expire ON payments (expires_at_ms) WHERE expires_at_ms IS NOT NULL;

-- Everybody's payments, newest first, page by page; those in one status likewise.
CREATE INDEX payments_by_time ON payments (created_at_ms DESC, id DESC);
CREATE INDEX payments_by_status ON payments (status, created_at_ms DESC, id DESC);

ALTER TABLE operations ADD COLUMN decline_code TEXT;
ALTER TABLE operations ADD COLUMN inquiries INTEGER NOT NULL DEFAULT 0 CHECK (inquiries >= 0);
ALTER TABLE operations ADD COLUMN inquire_at_ms INTEGER CHECK (inquire_at_ms >= 0);

-- Until now the reason stood with the payment alone, which had one operation.
UPDATE operations SET decline_code = (
    SELECT json_extract(payments.record, '$.decline_code') FROM payments WHERE payments.id = operations.payment_id
) WHERE status = 'declined';
UPDATE operations SET inquire_at_ms = updated_at_ms WHERE status IN ('sent', 'unknown');

-- What the acquirer is asked about, and what is left to humans: few rows at any time.
DROP INDEX operations_open;
CREATE INDEX operations_to_inquire ON operations (inquire_at_ms) WHERE inquire_at_ms IS NOT NULL;
CREATE INDEX operations_for_humans ON operations (payment_id)
    WHERE status IN ('sent', 'unknown') AND inquire_at_ms IS NULL;

CREATE TABLE idempotency_keys (
    tenant           TEXT    NOT NULL,
    key              TEXT    NOT NULL,
    digest           BLOB    NOT NULL CHECK (length(digest) = 32),
    payment_id       TEXT    NOT NULL REFERENCES payments (id),
    operation_id     TEXT,
    claimed_until_ms INTEGER NOT NULL CHECK (claimed_until_ms >= 0),
    answer_status    INTEGER,
    answer_body      BLOB,
    created_at_ms    INTEGER NOT NULL CHECK (created_at_ms >= 0),
    PRIMARY KEY (tenant, key),
    CHECK ((answer_status IS NULL) = (answer_body IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at_ms);

-- What happened to payments, in the order in which it was stored. Never changed.
CREATE TABLE events (
    position             INTEGER PRIMARY KEY AUTOINCREMENT,
    id                   TEXT    NOT NULL,
    payment_id           TEXT    NOT NULL REFERENCES payments (id),
    merchant_id          TEXT    NOT NULL,
    kind                 TEXT    NOT NULL,
    operation_id         TEXT,
    occurred_at_ms       INTEGER NOT NULL CHECK (occurred_at_ms >= 0),
    status               TEXT    NOT NULL,
    currency             TEXT    NOT NULL,
    amount_minor_units   INTEGER NOT NULL CHECK (amount_minor_units > 0),
    captured_minor_units INTEGER NOT NULL CHECK (captured_minor_units >= 0),
    refunded_minor_units INTEGER NOT NULL CHECK (refunded_minor_units >= 0)
) STRICT;

CREATE INDEX events_by_merchant ON events (merchant_id, position);
