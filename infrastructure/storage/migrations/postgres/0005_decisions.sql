-- Bare decisions: nothing was charged by them, and no payment is theirs. Kept for a while, so that somebody can see why.
--
-- `record` is the document that the gateway reads back; the other columns repeat what is searched by, and are held against it at
-- every read.

CREATE TABLE decisions (
    id            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    merchant_id   TEXT COLLATE "C" NOT NULL,
    payment_id    TEXT COLLATE "C" NOT NULL,
    outcome       TEXT   NOT NULL,
    created_at_ms BIGINT NOT NULL CHECK (created_at_ms >= 0),
    record        TEXT   NOT NULL
);

-- Newest first, page by page: everybody's, which is also how old ones are found; a merchant's; those with one outcome.
CREATE INDEX decisions_by_time ON decisions (created_at_ms DESC, id DESC);
CREATE INDEX decisions_by_merchant ON decisions (merchant_id, created_at_ms DESC, id DESC);
CREATE INDEX decisions_by_outcome ON decisions (outcome, created_at_ms DESC, id DESC);
-- Those about one payment, which are few.
CREATE INDEX decisions_by_payment ON decisions (payment_id);
