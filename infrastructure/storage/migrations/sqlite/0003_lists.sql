-- Lists of subjects that change while gateways run. A list stays when its last item is gone.
CREATE TABLE lists (
    name  TEXT    NOT NULL PRIMARY KEY,
    -- Items that were not removed, those that have expired and are still here among them.
    items INTEGER NOT NULL DEFAULT 0 CHECK (items >= 0)
) STRICT, WITHOUT ROWID;

-- An item that was removed stays for a day, so that every gateway hears of it.
CREATE TABLE list_items (
    list          TEXT    NOT NULL REFERENCES lists (name),
    subject       TEXT    NOT NULL,
    value         TEXT    NOT NULL,
    expires_at_ms INTEGER CHECK (expires_at_ms >= 0),
    added_by      TEXT    NOT NULL,
    added_at_ms   INTEGER NOT NULL CHECK (added_at_ms >= 0),
    note          TEXT,
    revision      INTEGER NOT NULL,
    removed_at_ms INTEGER CHECK (removed_at_ms >= 0),
    PRIMARY KEY (list, subject, value)
) STRICT, WITHOUT ROWID;

-- What changed since somebody looked.
CREATE UNIQUE INDEX list_items_by_revision ON list_items (revision);

-- What can be let go of.
CREATE INDEX list_items_removed ON list_items (removed_at_ms) WHERE removed_at_ms IS NOT NULL;
CREATE INDEX list_items_expiring ON list_items (expires_at_ms)
    WHERE expires_at_ms IS NOT NULL AND removed_at_ms IS NULL;

-- The revision of the latest change; kept by itself, since the row of that change may be gone.
CREATE TABLE list_revision (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    revision INTEGER NOT NULL CHECK (revision >= 0)
) STRICT;
INSERT INTO list_revision (id, revision) VALUES (1, 0);
