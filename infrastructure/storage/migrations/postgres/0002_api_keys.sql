-- Keys to the HTTP interface. Of a secret only the SHA-256 is here. No key is ever deleted.

CREATE TABLE api_keys (
    id                       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name                     TEXT   NOT NULL,
    role                     TEXT   NOT NULL,
    merchant_id              TEXT COLLATE "C",
    -- Names, separated by blanks; empty where the key has all that its role has.
    scopes                   TEXT   NOT NULL,
    digest                   BYTEA  NOT NULL CHECK (length(digest) = 32),
    last4                    TEXT   NOT NULL,
    previous_digest          BYTEA  CHECK (length(previous_digest) = 32),
    previous_valid_until_ms  BIGINT CHECK (previous_valid_until_ms >= 0),
    created_at_ms            BIGINT NOT NULL CHECK (created_at_ms >= 0),
    rotated_at_ms            BIGINT NOT NULL CHECK (rotated_at_ms >= 0),
    expires_at_ms            BIGINT CHECK (expires_at_ms >= 0),
    revoked_at_ms            BIGINT CHECK (revoked_at_ms >= 0),
    version                  BIGINT NOT NULL CHECK (version > 0),
    CHECK ((role = 'merchant') = (merchant_id IS NOT NULL)),
    CHECK ((previous_digest IS NULL) = (previous_valid_until_ms IS NULL))
);

-- One row, whose number rises with every change of a key, in the same transaction: what gateways ask for to learn whether to read
-- the keys again.
CREATE TABLE api_keys_revision (
    only_row BOOLEAN NOT NULL DEFAULT TRUE PRIMARY KEY CHECK (only_row),
    revision BIGINT  NOT NULL CHECK (revision >= 0)
);

INSERT INTO api_keys_revision (revision) VALUES (0);
