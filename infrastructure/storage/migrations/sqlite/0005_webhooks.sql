-- Where merchants want to be told what happens, and what is on its way there.
--
-- Secrets lie here as they are: they sign, so they have to be read. The mode of the file protects them.

CREATE TABLE webhook_endpoints (
    id                TEXT    NOT NULL PRIMARY KEY,
    merchant_id       TEXT    NOT NULL,
    url               TEXT    NOT NULL,
    -- Kinds of events, by commas; null stands for every one.
    event_kinds       TEXT,
    disabled_reason   TEXT,
    secret            BLOB    NOT NULL,
    previous_secret   BLOB,
    previous_until_ms INTEGER CHECK (previous_until_ms >= 0),
    starts_after      INTEGER NOT NULL CHECK (starts_after >= 0),
    failing_since_ms  INTEGER CHECK (failing_since_ms >= 0),
    created_at_ms     INTEGER NOT NULL CHECK (created_at_ms >= 0),
    -- One that is gone stays, without its secrets, until its deliveries are forgotten.
    deleted_at_ms     INTEGER CHECK (deleted_at_ms >= 0),
    CHECK (length(secret) = iif(deleted_at_ms IS NULL, 32, 0)),
    CHECK ((previous_secret IS NULL) = (previous_until_ms IS NULL))
) STRICT;

CREATE INDEX webhook_endpoints_by_merchant ON webhook_endpoints (merchant_id, id);

CREATE TABLE webhook_deliveries (
    position           INTEGER PRIMARY KEY AUTOINCREMENT,
    id                 TEXT    NOT NULL UNIQUE,
    endpoint_id        TEXT    NOT NULL REFERENCES webhook_endpoints (id),
    event_id           TEXT    NOT NULL,
    event_kind         TEXT    NOT NULL,
    body               BLOB    NOT NULL,
    state              TEXT    NOT NULL,
    -- While it is claimed: when the claim lapses.
    next_attempt_at_ms INTEGER CHECK (next_attempt_at_ms >= 0),
    claimed_until_ms   INTEGER CHECK (claimed_until_ms >= 0),
    claim              INTEGER NOT NULL DEFAULT 0 CHECK (claim >= 0),
    tries              INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
    attempts_made      INTEGER NOT NULL DEFAULT 0 CHECK (attempts_made >= 0),
    created_at_ms      INTEGER NOT NULL CHECK (created_at_ms >= 0),
    ended_at_ms        INTEGER CHECK (ended_at_ms >= 0),
    UNIQUE (endpoint_id, event_id),
    CHECK ((state = 'pending') = (next_attempt_at_ms IS NOT NULL)),
    CHECK ((state = 'pending') = (ended_at_ms IS NULL))
) STRICT;

-- What is due, endpoint by endpoint.
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (endpoint_id, next_attempt_at_ms) WHERE state = 'pending';
-- An endpoint's deliveries, newest first, page by page; those in one state likewise.
CREATE INDEX webhook_deliveries_by_endpoint ON webhook_deliveries (endpoint_id, position DESC);
CREATE INDEX webhook_deliveries_by_state ON webhook_deliveries (endpoint_id, state, position DESC);
CREATE INDEX webhook_deliveries_by_end ON webhook_deliveries (ended_at_ms) WHERE ended_at_ms IS NOT NULL;

CREATE TABLE webhook_attempts (
    delivery    INTEGER NOT NULL REFERENCES webhook_deliveries (position) ON DELETE CASCADE,
    number      INTEGER NOT NULL CHECK (number > 0),
    at_ms       INTEGER NOT NULL CHECK (at_ms >= 0),
    duration_ms INTEGER NOT NULL CHECK (duration_ms >= 0),
    status      INTEGER,
    error       TEXT,
    PRIMARY KEY (delivery, number)
) STRICT, WITHOUT ROWID;

-- Up to which event they were handed out: one row. Nobody can have wanted the events that were there before.
CREATE TABLE webhook_position (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    position INTEGER NOT NULL CHECK (position >= 0)
) STRICT;

INSERT INTO webhook_position (only_row, position) SELECT 1, coalesce(max(position), 0) FROM events;
