//! Items of lists as rows.

use application::ports::{ListChanges, ListCursor, ListStoreError, MAX_LIST_ITEMS, MAX_LISTS, Page};
use domain::{ListItem, ListName, ListedValue, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, named_params};

use crate::record::{Damage, ListItemColumns};

/// For how long a removal is kept, so that every gateway hears of it: twice as long as the port promises.
const KEEP_REMOVAL_MS: u64 = 48 * 3_600 * 1_000;

/// How many rows that nobody needs any more a change lets go of: more than it can add.
const FORGET_AT_ONCE: usize = 8;

/// Why a list was left as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListRefusal {
    Unknown,
    Full,
    TooMany,
}

/// A value to be taken off a list.
#[derive(Debug)]
pub(super) struct ListRemoval {
    pub(super) list: ListName,
    pub(super) value: ListedValue,
    pub(super) now: Timestamp,
}

macro_rules! select_items {
    ($condition:literal) => {
        concat!(
            "SELECT list, subject, value, expires_at_ms, added_by, added_at_ms, note, revision, removed_at_ms IS NOT NULL
            FROM list_items WHERE ",
            $condition,
            " LIMIT :limit"
        )
    };
}

const ITEMS: &str = select_items!(
    "list = :list AND (subject, value) > (:subject, :value) AND removed_at_ms IS NULL ORDER BY subject, value"
);
const CHANGES: &str = select_items!("revision > :revision ORDER BY revision");

const COUNT_LISTS: &str = "SELECT count(*) FROM lists";
const COUNTED_ITEMS: &str = "SELECT items FROM lists WHERE name = :list";
const ITEMS_IN_FORCE: &str = "
    SELECT count(*) FROM list_items
    WHERE list = :list AND removed_at_ms IS NULL AND (expires_at_ms IS NULL OR expires_at_ms > :now_ms)";

/// Nothing where there is no row; when it expires where the item is there.
const STATE: &str = "
    SELECT removed_at_ms IS NULL, expires_at_ms FROM list_items
    WHERE list = :list AND subject = :subject AND value = :value";

const ADD_LIST: &str = "INSERT INTO lists (name) VALUES (:list) ON CONFLICT (name) DO NOTHING";
const ADD_TO_COUNT: &str = "UPDATE lists SET items = items + :more WHERE name = :list";
const NEXT_REVISION: &str = "UPDATE list_revision SET revision = revision + 1 RETURNING revision";
const REVISION: &str = "SELECT revision FROM list_revision";
const NAMES: &str = "SELECT name FROM lists ORDER BY name";

const PUT: &str = "
    INSERT INTO list_items (list, subject, value, expires_at_ms, added_by, added_at_ms, note, revision)
    VALUES (:list, :subject, :value, :expires_at_ms, :added_by, :added_at_ms, :note, :revision)
    ON CONFLICT (list, subject, value) DO UPDATE
    SET expires_at_ms = excluded.expires_at_ms, added_by = excluded.added_by, added_at_ms = excluded.added_at_ms,
        note = excluded.note, revision = excluded.revision, removed_at_ms = NULL";

const REMOVE: &str = "
    UPDATE list_items SET removed_at_ms = :now_ms, note = NULL, revision = :revision
    WHERE list = :list AND subject = :subject AND value = :value";

const FORGET_REMOVED: &str = "
    DELETE FROM list_items WHERE (list, subject, value) IN (
        SELECT list, subject, value FROM list_items WHERE removed_at_ms < :before_ms LIMIT :limit)";
const FORGET_EXPIRED: &str = "
    DELETE FROM list_items WHERE (list, subject, value) IN (
        SELECT list, subject, value FROM list_items
        WHERE expires_at_ms <= :now_ms AND removed_at_ms IS NULL LIMIT :limit)
    RETURNING list";

/// Puts the item there, unless the list can take no more; then nothing is changed.
pub(super) fn put(connection: &Connection, item: &ListItem) -> rusqlite::Result<Result<usize, ListRefusal>> {
    let counted = counted_items(connection, &item.list)?;
    let lists: usize = connection
        .prepare_cached(COUNT_LISTS)?
        .query_row([], |row| row.get(0))?;
    if counted.is_none() && lists >= MAX_LISTS {
        return Ok(Err(ListRefusal::TooMany));
    }
    let is_new = !matches!(state(connection, &item.list, &item.value)?, Some((true, _)));
    if is_new
        && counted.unwrap_or(0) >= MAX_LIST_ITEMS
        && items_in_force(connection, &item.list, item.added_at)? >= MAX_LIST_ITEMS
    {
        return Ok(Err(ListRefusal::Full));
    }
    connection
        .prepare_cached(ADD_LIST)?
        .execute(named_params! { ":list": item.list.as_str() })?;
    let row = ListItemColumns::of(item, next_revision(connection)?);
    connection.prepare_cached(PUT)?.execute(named_params! {
        ":list": row.list,
        ":subject": row.subject,
        ":value": row.value,
        ":expires_at_ms": row.expires_at_ms,
        ":added_by": row.added_by,
        ":added_at_ms": row.added_at_ms,
        ":note": row.note,
        ":revision": row.revision,
    })?;
    add_to_count(connection, item.list.as_str(), i64::from(is_new))?;
    forget(connection, item.added_at)?;
    Ok(Ok(1))
}

/// Tells how many items were removed: one or none.
pub(super) fn remove(
    connection: &Connection,
    removal: &ListRemoval,
) -> rusqlite::Result<Result<usize, ListRefusal>> {
    let ListRemoval { list, value, now } = removal;
    if counted_items(connection, list)?.is_none() {
        return Ok(Err(ListRefusal::Unknown));
    }
    let Some((true, expires_at_ms)) = state(connection, list, value)? else {
        return Ok(Ok(0));
    };
    connection.prepare_cached(REMOVE)?.execute(named_params! {
        ":list": list.as_str(),
        ":subject": value.subject().as_str(),
        ":value": value.as_str(),
        ":now_ms": now.unix_millis(),
        ":revision": next_revision(connection)?,
    })?;
    add_to_count(connection, list.as_str(), -1)?;
    forget(connection, *now)?;
    // What had expired was not there any more.
    let was_there = expires_at_ms.is_none_or(|at| at > now.unix_millis());
    Ok(Ok(usize::from(was_there)))
}

/// Lets go of some rows that nobody needs any more.
fn forget(connection: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    connection
        .prepare_cached(FORGET_REMOVED)?
        .execute(named_params! {
            ":before_ms": now.unix_millis().saturating_sub(KEEP_REMOVAL_MS),
            ":limit": FORGET_AT_ONCE,
        })?;
    let mut statement = connection.prepare_cached(FORGET_EXPIRED)?;
    let expired = statement
        .query_map(
            named_params! { ":now_ms": now.unix_millis(), ":limit": FORGET_AT_ONCE },
            |row| row.get::<_, String>(0),
        )?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    for list in expired {
        add_to_count(connection, &list, -1)?;
    }
    Ok(())
}

fn counted_items(connection: &Connection, list: &ListName) -> rusqlite::Result<Option<usize>> {
    connection
        .prepare_cached(COUNTED_ITEMS)?
        .query_row(named_params! { ":list": list.as_str() }, |row| row.get(0))
        .optional()
}

fn items_in_force(connection: &Connection, list: &ListName, now: Timestamp) -> rusqlite::Result<usize> {
    connection.prepare_cached(ITEMS_IN_FORCE)?.query_row(
        named_params! { ":list": list.as_str(), ":now_ms": now.unix_millis() },
        |row| row.get(0),
    )
}

/// Whether there is a row that was not removed, and when it expires.
fn state(
    connection: &Connection,
    list: &ListName,
    value: &ListedValue,
) -> rusqlite::Result<Option<(bool, Option<u64>)>> {
    let wanted = named_params! {
        ":list": list.as_str(),
        ":subject": value.subject().as_str(),
        ":value": value.as_str(),
    };
    connection
        .prepare_cached(STATE)?
        .query_row(wanted, |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

fn add_to_count(connection: &Connection, list: &str, more: i64) -> rusqlite::Result<()> {
    connection
        .prepare_cached(ADD_TO_COUNT)?
        .execute(named_params! { ":list": list, ":more": more })?;
    Ok(())
}

fn next_revision(connection: &Connection) -> rusqlite::Result<u64> {
    connection
        .prepare_cached(NEXT_REVISION)?
        .query_row([], |row| row.get(0))
}

pub(super) fn items(
    connection: &Connection,
    list: &ListName,
    after: Option<&ListCursor>,
    limit: usize,
) -> Result<Page<ListItem>, ListStoreError> {
    let read = || {
        // One snapshot for both questions.
        let snapshot = connection.unchecked_transaction()?;
        if counted_items(&snapshot, list)?.is_none() {
            return Ok(None);
        }
        let after = after.map(|cursor| &cursor.value);
        let mut statement = snapshot.prepare_cached(ITEMS)?;
        let rows = statement.query_map(
            named_params! {
                ":list": list.as_str(),
                ":subject": after.map_or("", |value| value.subject().as_str()),
                ":value": after.map_or("", ListedValue::as_str),
                ":limit": limit.saturating_add(1),
            },
            columns,
        )?;
        rows.collect::<rusqlite::Result<Vec<_>>>().map(Some)
    };
    let rows = read().map_err(|error: rusqlite::Error| unavailable(&error))?;
    let Some(mut rows) = rows else {
        return Err(ListStoreError::UnknownList { list: list.clone() });
    };
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let items = rows.iter().map(ListItemColumns::restore);
    let items = items.collect::<Result<_, Damage>>();
    Ok(Page {
        items: items.map_err(|damage| unavailable(&damage))?,
        has_more,
    })
}

pub(super) fn changes_after(
    connection: &Connection,
    revision: u64,
    limit: usize,
) -> Result<ListChanges, ListStoreError> {
    // At least one, or whoever asks would never come further.
    let limit = limit.max(1);
    let read = || {
        let snapshot = connection.unchecked_transaction()?;
        let latest: u64 = snapshot
            .prepare_cached(REVISION)?
            .query_row([], |row| row.get(0))?;
        let names = snapshot
            .prepare_cached(NAMES)?
            .query_map([], |row| row.get::<_, String>(0))?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let rows = snapshot
            .prepare_cached(CHANGES)?
            .query_map(
                named_params! { ":revision": revision, ":limit": limit.saturating_add(1) },
                columns,
            )?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        Ok((latest, names, rows))
    };
    let (latest, names, mut rows) = read().map_err(|error: rusqlite::Error| unavailable(&error))?;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let upto = rows.last().map(|row| row.revision).filter(|_| has_more);
    let changes = rows.iter().map(ListItemColumns::restore_change);
    let changes = changes.collect::<Result<_, Damage>>();
    let lists = names.iter().map(|name| ListName::parse(name));
    let lists = lists.collect::<Result<_, _>>();
    Ok(ListChanges {
        changes: changes.map_err(|damage| unavailable(&damage))?,
        lists: lists
            .map_err(|error| unavailable(&format!("a list is stored under a name that none has: {error}")))?,
        revision: upto.unwrap_or(latest),
        has_more,
    })
}

fn unavailable(reason: &impl ToString) -> ListStoreError {
    ListStoreError::Unavailable {
        reason: reason.to_string(),
    }
}

fn columns(row: &Row<'_>) -> rusqlite::Result<ListItemColumns> {
    Ok(ListItemColumns {
        list: row.get(0)?,
        subject: row.get(1)?,
        value: row.get(2)?,
        expires_at_ms: row.get(3)?,
        added_by: row.get(4)?,
        added_at_ms: row.get(5)?,
        note: row.get(6)?,
        revision: row.get(7)?,
        removed: row.get(8)?,
    })
}
