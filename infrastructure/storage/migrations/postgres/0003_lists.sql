-- Lists of subjects that change while gateways run. A list stays when its last item is gone. Names and values are compared byte by
-- byte: pages of a list go on from a value.

CREATE TABLE lists (
    name  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    -- Items that were not removed, those that have expired and are still here among them.
    items BIGINT NOT NULL CHECK (items >= 0)
);

-- An item that was removed stays for a while, so that every gateway hears of it.
CREATE TABLE list_items (
    list          TEXT COLLATE "C" NOT NULL REFERENCES lists (name),
    subject       TEXT COLLATE "C" NOT NULL,
    value         TEXT COLLATE "C" NOT NULL,
    expires_at_ms BIGINT CHECK (expires_at_ms >= 0),
    added_by      TEXT   NOT NULL,
    added_at_ms   BIGINT NOT NULL CHECK (added_at_ms >= 0),
    note          TEXT,
    revision      BIGINT NOT NULL CHECK (revision > 0),
    removed_at_ms BIGINT CHECK (removed_at_ms >= 0),
    PRIMARY KEY (list, subject, value)
);

-- What changed since somebody looked.
CREATE UNIQUE INDEX list_items_by_revision ON list_items (revision);

-- What can be let go of.
CREATE INDEX list_items_removed ON list_items (removed_at_ms) WHERE removed_at_ms IS NOT NULL;
CREATE INDEX list_items_expiring ON list_items (expires_at_ms)
    WHERE expires_at_ms IS NOT NULL AND removed_at_ms IS NULL;

-- One row: the revision of the latest change. Who changes a list holds it locked until he has committed, so a revision is seen only
-- after all lower ones are.
CREATE TABLE list_revision (
    only_row BOOLEAN NOT NULL DEFAULT TRUE PRIMARY KEY CHECK (only_row),
    revision BIGINT  NOT NULL CHECK (revision >= 0)
);

INSERT INTO list_revision (revision) VALUES (0);
