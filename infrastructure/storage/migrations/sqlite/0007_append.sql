-- What a payment writes lies behind what the payments before it wrote, wherever it can, so that those of one transaction share
-- pages.
--
-- A key's name can be anything, so it lies anywhere. Until now its row, with the answer in it, lay there too: most keys took two
-- pages of their own, both written with every payment. Now only the name does, in an index of many names a page.

CREATE TABLE idempotency_keys_new (
    id               INTEGER PRIMARY KEY,
    tenant           TEXT    NOT NULL,
    key              TEXT    NOT NULL,
    digest           BLOB    NOT NULL CHECK (length(digest) = 32),
    payment_id       TEXT    NOT NULL REFERENCES payments (id),
    operation_id     TEXT,
    claimed_until_ms INTEGER NOT NULL CHECK (claimed_until_ms >= 0),
    created_at_ms    INTEGER NOT NULL CHECK (created_at_ms >= 0),
    UNIQUE (tenant, key)
) STRICT;

-- What whoever shows the key again is told. Never changed.
CREATE TABLE idempotency_answers (
    key_id INTEGER PRIMARY KEY REFERENCES idempotency_keys_new (id) ON DELETE CASCADE,
    status INTEGER NOT NULL,
    body   BLOB    NOT NULL
) STRICT;

INSERT INTO idempotency_keys_new (tenant, key, digest, payment_id, operation_id, claimed_until_ms, created_at_ms)
SELECT tenant, key, digest, payment_id, operation_id, claimed_until_ms, created_at_ms
FROM idempotency_keys ORDER BY created_at_ms;

INSERT INTO idempotency_answers (key_id, status, body)
SELECT new.id, old.answer_status, old.answer_body
FROM idempotency_keys_new AS new JOIN idempotency_keys AS old USING (tenant, key)
WHERE old.answer_status IS NOT NULL ORDER BY new.id;

DROP TABLE idempotency_keys;
ALTER TABLE idempotency_keys_new RENAME TO idempotency_keys;
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at_ms);

-- Read from their end, newest first. In the order in which they were, each new row split the first page.
DROP INDEX payments_by_merchant;
DROP INDEX payments_by_time;
DROP INDEX payments_by_status;
CREATE INDEX payments_by_merchant ON payments (merchant_id, created_at_ms, id);
CREATE INDEX payments_by_time ON payments (created_at_ms, id);
CREATE INDEX payments_by_status ON payments (status, created_at_ms, id);

DROP INDEX decisions_by_time;
DROP INDEX decisions_by_merchant;
DROP INDEX decisions_by_outcome;
CREATE INDEX decisions_by_time ON decisions (created_at_ms, id);
CREATE INDEX decisions_by_merchant ON decisions (merchant_id, created_at_ms, id);
CREATE INDEX decisions_by_outcome ON decisions (outcome, created_at_ms, id);
