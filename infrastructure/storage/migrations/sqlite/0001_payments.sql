-- Payments and their operations.
--
-- `record` is the document that the gateway reads back; the other columns repeat what is searched by, and are held
-- against it at every read. What changes on its own is not in the document: the version, and the operations, of which
-- each is one row.

CREATE TABLE payments (
    id                 TEXT    NOT NULL PRIMARY KEY,
    merchant_id        TEXT    NOT NULL,
    status             TEXT    NOT NULL,
    currency           TEXT    NOT NULL,
    amount_minor_units INTEGER NOT NULL CHECK (amount_minor_units > 0),
    created_at_ms      INTEGER NOT NULL CHECK (created_at_ms >= 0),
    updated_at_ms      INTEGER NOT NULL CHECK (updated_at_ms >= created_at_ms),
    version            INTEGER NOT NULL CHECK (version > 0),
    record             TEXT    NOT NULL
) STRICT;

-- A merchant's payments, newest first, page by page.
CREATE INDEX payments_by_merchant ON payments (merchant_id, created_at_ms DESC, id DESC);

-- The machine's clock can be set back between two changes, so an operation's last one may seem to come first.
CREATE TABLE operations (
    payment_id         TEXT    NOT NULL REFERENCES payments (id),
    position           INTEGER NOT NULL CHECK (position >= 0),
    id                 TEXT    NOT NULL UNIQUE,
    kind               TEXT    NOT NULL,
    status             TEXT    NOT NULL,
    currency           TEXT    NOT NULL,
    amount_minor_units INTEGER NOT NULL CHECK (amount_minor_units > 0),
    acquirer_reference TEXT,
    created_at_ms      INTEGER NOT NULL CHECK (created_at_ms >= 0),
    updated_at_ms      INTEGER NOT NULL CHECK (updated_at_ms >= 0),
    PRIMARY KEY (payment_id, position)
) STRICT, WITHOUT ROWID;

-- What recovery asks the acquirer about: few rows at any time.
CREATE INDEX operations_open ON operations (updated_at_ms) WHERE status IN ('sent', 'unknown');
