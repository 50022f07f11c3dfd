-- Keys to the HTTP interface. Of a secret only the SHA-256 is here. No key is ever deleted.

CREATE TABLE api_keys (
    id                       TEXT    NOT NULL PRIMARY KEY,
    name                     TEXT    NOT NULL,
    role                     TEXT    NOT NULL,
    merchant_id              TEXT,
    -- Names, separated by blanks; empty where the key has all that its role has.
    scopes                   TEXT    NOT NULL,
    digest                   BLOB    NOT NULL CHECK (length(digest) = 32),
    last4                    TEXT    NOT NULL,
    previous_digest          BLOB             CHECK (length(previous_digest) = 32),
    previous_valid_until_ms  INTEGER          CHECK (previous_valid_until_ms >= 0),
    created_at_ms            INTEGER NOT NULL CHECK (created_at_ms >= 0),
    rotated_at_ms            INTEGER NOT NULL CHECK (rotated_at_ms >= 0),
    expires_at_ms            INTEGER          CHECK (expires_at_ms >= 0),
    revoked_at_ms            INTEGER          CHECK (revoked_at_ms >= 0),
    version                  INTEGER NOT NULL CHECK (version > 0),
    CHECK ((role = 'merchant') = (merchant_id IS NOT NULL)),
    CHECK ((previous_digest IS NULL) = (previous_valid_until_ms IS NULL))
) STRICT, WITHOUT ROWID;

-- One row, whose number rises with every change of a key: what gateways ask for to learn whether to read the keys again.
CREATE TABLE api_keys_revision (
    only_row INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
    revision INTEGER NOT NULL CHECK (revision >= 0)
) STRICT;
INSERT INTO api_keys_revision (only_row, revision) VALUES (1, 0);
