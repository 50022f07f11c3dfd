//! Items of lists as rows.
//!
//! Whoever changes a list first locks the row of the revision, and holds it until he has committed. So changes come one behind the
//! other, in the order of their revisions, and a reader who sees one sees all before it. Each change is one transaction of three
//! statements that are sent at once: the lock is held for no way to the server and back.

use application::ports::{
    ListChanges, ListCursor, ListStore, ListStoreError, MAX_LIST_ITEMS, MAX_LISTS, Page, Removed,
    RepositoryError,
};
use async_trait::async_trait;
use domain::{ListItem, ListName, ListedValue, Timestamp};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use super::PostgresPaymentRepository;
use super::connections::{ONE_BY_ONE, ONE_SNAPSHOT};
use super::rows::{get, unsigned};
use super::save::millis;
use crate::listing::{as_limit, one_more};
use crate::record::{Damage, ListItemColumns};

/// For how long a removal is kept, so that every gateway hears of it: twice as long as the port promises.
const KEEP_REMOVAL_MS: u64 = 48 * 3_600 * 1_000;

/// How many rows that nobody needs any more a change lets go of: more than it can add.
const FORGET_AT_ONCE: i64 = 8;

const LOCK: &str = "SELECT revision FROM list_revision FOR UPDATE";

/// Puts an item there, unless the list can take no more, and tells which of these it was.
const PUT: &str = "
    WITH known AS (
        SELECT items FROM lists WHERE name = $1
    ), is_there AS (
        SELECT 1 FROM list_items WHERE list = $1 AND subject = $2 AND value = $3 AND removed_at_ms IS NULL
    ), verdict AS (
        SELECT CASE
            WHEN NOT EXISTS (SELECT 1 FROM known) AND (SELECT count(*) FROM lists) >= $8::BIGINT THEN 'too_many'
            WHEN (SELECT items FROM known) >= $9::BIGINT AND NOT EXISTS (SELECT 1 FROM is_there)
                AND (SELECT count(*) FROM list_items
                    WHERE list = $1 AND removed_at_ms IS NULL AND (expires_at_ms IS NULL OR expires_at_ms > $6)
                ) >= $9 THEN 'full'
            ELSE 'put'
        END AS told
    ), raised AS (
        UPDATE list_revision SET revision = revision + 1 WHERE (SELECT told FROM verdict) = 'put' RETURNING revision
    ), counted AS (
        INSERT INTO lists (name, items) SELECT $1, 1 FROM raised
        ON CONFLICT (name) DO UPDATE SET items = lists.items + 1 WHERE NOT EXISTS (SELECT 1 FROM is_there)
    ), stored AS (
        INSERT INTO list_items (list, subject, value, expires_at_ms, added_by, added_at_ms, note, revision)
        SELECT $1, $2, $3, $4::BIGINT, $5::TEXT, $6::BIGINT, $7::TEXT, revision FROM raised
        ON CONFLICT (list, subject, value) DO UPDATE
        SET expires_at_ms = excluded.expires_at_ms, added_by = excluded.added_by, added_at_ms = excluded.added_at_ms,
            note = excluded.note, revision = excluded.revision, removed_at_ms = NULL
    )
    SELECT told FROM verdict";

/// Tells whether there is such a list, and whether the item was there; what had expired was not there any more.
const REMOVE: &str = "
    WITH is_there AS (
        SELECT expires_at_ms FROM list_items WHERE list = $1 AND subject = $2 AND value = $3 AND removed_at_ms IS NULL
    ), raised AS (
        UPDATE list_revision SET revision = revision + 1 WHERE EXISTS (SELECT 1 FROM is_there) RETURNING revision
    ), counted AS (
        UPDATE lists SET items = items - 1 FROM raised WHERE name = $1
    ), removed AS (
        UPDATE list_items SET removed_at_ms = $4::BIGINT, note = NULL, revision = raised.revision FROM raised
        WHERE list = $1 AND subject = $2 AND value = $3
    )
    SELECT EXISTS (SELECT 1 FROM lists WHERE name = $1),
        EXISTS (SELECT 1 FROM is_there WHERE expires_at_ms IS NULL OR expires_at_ms > $4)";

/// Lets go of some rows that nobody needs any more.
const FORGET: &str = "
    WITH removed AS (
        DELETE FROM list_items WHERE (list, subject, value) IN (
            SELECT list, subject, value FROM list_items WHERE removed_at_ms < $1 ORDER BY removed_at_ms LIMIT $3)
    ), expired AS (
        DELETE FROM list_items WHERE (list, subject, value) IN (
            SELECT list, subject, value FROM list_items
            WHERE expires_at_ms <= $2 AND removed_at_ms IS NULL ORDER BY expires_at_ms LIMIT $3)
        RETURNING list
    )
    UPDATE lists SET items = lists.items - gone.items
    FROM (SELECT list, count(*) AS items FROM expired GROUP BY list) AS gone WHERE lists.name = gone.list";

const IS_KNOWN: &str = "SELECT EXISTS (SELECT 1 FROM lists WHERE name = $1)";

macro_rules! select_items {
    ($condition:literal) => {
        concat!(
            "SELECT list, subject, value, expires_at_ms, added_by, added_at_ms, note, revision, removed_at_ms IS NOT NULL
            FROM list_items WHERE ",
            $condition
        )
    };
}

const ITEMS: &str = select_items!(
    "list = $1 AND (subject, value) > ($2, $3) AND removed_at_ms IS NULL ORDER BY subject, value LIMIT $4"
);
const CHANGES: &str = select_items!("revision > $1 ORDER BY revision LIMIT $2");
const REVISION: &str = "SELECT revision FROM list_revision";
const NAMES: &str = "SELECT name FROM lists ORDER BY name";

#[async_trait]
impl ListStore for PostgresPaymentRepository {
    async fn put(&self, item: &ListItem) -> Result<(), ListStoreError> {
        // Its revision is given by the statement.
        let row = ListItemColumns::of(item, 0);
        let expires_at_ms = row.expires_at_ms.map(u64::cast_signed);
        let added_at_ms = row.added_at_ms.cast_signed();
        let (max_lists, max_items) = (as_limit(MAX_LISTS), as_limit(MAX_LIST_ITEMS));
        let values: [&(dyn ToSql + Sync); 9] = [
            &row.list,
            &row.subject,
            &row.value,
            &expires_at_ms,
            &row.added_by,
            &added_at_ms,
            &row.note,
            &max_lists,
            &max_items,
        ];
        let told = self.change(PUT, &values, item.added_at).await?;
        match told.try_get(0).map_err(|error| unavailable(&error))? {
            "full" => Err(ListStoreError::ListFull {
                list: item.list.clone(),
            }),
            "too_many" => Err(ListStoreError::TooManyLists),
            _ => Ok(()),
        }
    }

    async fn remove(
        &self,
        list: &ListName,
        value: &ListedValue,
        now: Timestamp,
    ) -> Result<Removed, ListStoreError> {
        let (name, subject, value) = (list.as_str(), value.subject().as_str(), value.as_str());
        let now_ms = millis(now);
        let values: [&(dyn ToSql + Sync); 4] = [&name, &subject, &value, &now_ms];
        let told = self.change(REMOVE, &values, now).await?;
        let told = |column| told.try_get(column).map_err(|error| unavailable(&error));
        let (is_known, was_there): (bool, bool) = (told(0)?, told(1)?);
        match (is_known, was_there) {
            (false, _) => Err(ListStoreError::UnknownList { list: list.clone() }),
            (true, true) => Ok(Removed::Yes),
            (true, false) => Ok(Removed::WasNotThere),
        }
    }

    async fn items(
        &self,
        list: &ListName,
        after: Option<&ListCursor>,
        limit: usize,
    ) -> Result<Page<ListItem>, ListStoreError> {
        let after = after.map(|cursor| &cursor.value);
        let subject = after.map_or("", |value| value.subject().as_str());
        let value = after.map_or("", ListedValue::as_str);
        let limit_and_one = one_more(limit);
        let name = list.as_str();
        let values: [&(dyn ToSql + Sync); 4] = [&name, &subject, &value, &limit_and_one];
        let known: [&(dyn ToSql + Sync); 1] = [&name];
        let read = self.transact(ONE_SNAPSHOT, [(IS_KNOWN, &known), (ITEMS, &values)]);
        let [is_known, mut rows] = read.await.map_err(of_repository)?;
        let is_known: bool = only_row(&is_known)?
            .try_get(0)
            .map_err(|error| unavailable(&error))?;
        if !is_known {
            return Err(ListStoreError::UnknownList { list: list.clone() });
        }
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let items = rows.iter().map(|row| columns(row)?.restore());
        let items = items.collect::<Result<_, Damage>>();
        Ok(Page {
            items: items.map_err(|damage| unavailable(&damage))?,
            has_more,
        })
    }

    async fn changes_after(&self, revision: u64, limit: usize) -> Result<ListChanges, ListStoreError> {
        // At least one, or whoever asks would never come further.
        let limit = limit.max(1);
        // None has a higher one.
        let revision = i64::try_from(revision).unwrap_or(i64::MAX);
        let limit_and_one = one_more(limit);
        let values: [&(dyn ToSql + Sync); 2] = [&revision, &limit_and_one];
        let read = self.transact(ONE_SNAPSHOT, [(REVISION, &[]), (NAMES, &[]), (CHANGES, &values)]);
        let [latest, names, rows] = read.await.map_err(of_repository)?;
        changes(only_row(&latest)?, &names, rows, limit).map_err(|damage| unavailable(&damage))
    }
}

impl PostgresPaymentRepository {
    /// Has a statement change a list, and tells what it told.
    async fn change(
        &self,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
        now: Timestamp,
    ) -> Result<Row, ListStoreError> {
        let removed_before = now.unix_millis().saturating_sub(KEEP_REMOVAL_MS).cast_signed();
        let now = millis(now);
        let to_forget: [&(dyn ToSql + Sync); 3] = [&removed_before, &now, &FORGET_AT_ONCE];
        let changed = self.transact(ONE_BY_ONE, [(LOCK, &[]), (sql, values), (FORGET, &to_forget)]);
        let [_, told, _] = changed.await.map_err(of_repository)?;
        told.into_iter().next().ok_or_else(nothing_told)
    }
}

fn changes(latest: &Row, names: &[Row], mut rows: Vec<Row>, limit: usize) -> Result<ListChanges, Damage> {
    let latest = unsigned(
        get(latest, 0, "list_revision.revision")?,
        "list_revision.revision",
    )?;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let rows = rows.iter().map(columns).collect::<Result<Vec<_>, _>>()?;
    let upto = rows.last().map(|row| row.revision).filter(|_| has_more);
    let changes = rows.iter().map(ListItemColumns::restore_change);
    let name = |row: &Row| {
        let name: &str = get(row, 0, "lists.name")?;
        ListName::parse(name).map_err(|error| Damage::of("lists.name", error))
    };
    Ok(ListChanges {
        changes: changes.collect::<Result<_, _>>()?,
        lists: names.iter().map(name).collect::<Result<_, _>>()?,
        revision: upto.unwrap_or(latest),
        has_more,
    })
}

fn columns(row: &Row) -> Result<ListItemColumns, Damage> {
    let expires_at_ms: Option<i64> = get(row, 3, "list_items.expires_at_ms")?;
    Ok(ListItemColumns {
        list: get(row, 0, "list_items.list")?,
        subject: get(row, 1, "list_items.subject")?,
        value: get(row, 2, "list_items.value")?,
        expires_at_ms: expires_at_ms
            .map(|at| unsigned(at, "list_items.expires_at_ms"))
            .transpose()?,
        added_by: get(row, 4, "list_items.added_by")?,
        added_at_ms: unsigned(get(row, 5, "list_items.added_at_ms")?, "list_items.added_at_ms")?,
        note: get(row, 6, "list_items.note")?,
        revision: unsigned(get(row, 7, "list_items.revision")?, "list_items.revision")?,
        removed: get(row, 8, "list_items.removed_at_ms")?,
    })
}

fn only_row(rows: &[Row]) -> Result<&Row, ListStoreError> {
    rows.first().ok_or_else(nothing_told)
}

fn nothing_told() -> ListStoreError {
    unavailable(&"the row of the revision is gone")
}

fn of_repository(error: RepositoryError) -> ListStoreError {
    ListStoreError::Unavailable {
        reason: match error {
            RepositoryError::Unavailable { reason } => reason,
            other => other.to_string(),
        },
    }
}

fn unavailable(reason: &impl ToString) -> ListStoreError {
    ListStoreError::Unavailable {
        reason: reason.to_string(),
    }
}
