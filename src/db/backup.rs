//! What a backup is checked by, and how a SQLite database is taken out of use.

use super::cdrs::{self, CdrFilter};
use super::locations::Owner;
use super::page::{Page, Slice};
use super::sessions::SessionFilter;
use super::{DbConn, DbError, DbResult, locations, parties, partners, sessions, stations, tariffs, tokens};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use std::path::Path;

/// Objects read at once.
const BATCH: i64 = 500;

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Opens a SQLite file as it is, without changing how it is kept.
///
/// # Errors
/// When it is no database.
pub fn open_file(file: &Path) -> DbResult<DbConn> {
    let url = file.display().to_string();
    let mut conn =
        SqliteConnection::establish(&url).map_err(|source| DbError::Open { url: url.clone(), source })?;
    conn.batch_execute("PRAGMA busy_timeout = 1000; PRAGMA schema_version;")?;
    Ok(DbConn::Sqlite(conn))
}

/// What SQLite itself finds wrong with the pages and references of a database; empty when all is well.
///
/// # Errors
/// When it cannot be read. On PostgreSQL there is nothing to ask.
pub fn find_damage(conn: &mut DbConn) -> DbResult<Vec<String>> {
    let DbConn::Sqlite(conn) = conn else { return Ok(Vec::new()) };
    let mut found: Vec<String> =
        diesel::sql_query("SELECT integrity_check AS line FROM pragma_integrity_check LIMIT 20")
            .load::<Line>(conn)?
            .into_iter()
            .map(|row| row.line)
            .filter(|line| line != "ok")
            .collect();
    let orphans = "SELECT \"table\" || ' refers to a row of ' || parent || ' that is not there' AS line \
                   FROM pragma_foreign_key_check LIMIT 20";
    found.extend(diesel::sql_query(orphans).load::<Line>(conn)?.into_iter().map(|row| row.line));
    Ok(found)
}

/// Reads every document there is, and counts them: what is it good for if it cannot be read?
///
/// # Errors
/// With the first that cannot be read.
pub fn read_everything(conn: &mut DbConn) -> DbResult<Vec<(&'static str, usize)>> {
    let each = |list: &mut dyn FnMut(Page) -> DbResult<usize>| -> DbResult<usize> {
        let (mut page, mut total) = (Page::first(BATCH), 0);
        loop {
            let read = list(page)?;
            total += read;
            if i64::try_from(read).is_ok_and(|read| read < BATCH) {
                return Ok(total);
            }
            page = page.next();
        }
    };
    fn size<T>(slice: Slice<T>) -> usize {
        slice.items.len()
    }
    let filter = SessionFilter { owner: Owner::Any, emsps: None, status: None };
    Ok(vec![
        ("parties", parties::all(conn)?.len()),
        ("partners", partners::all(conn)?.len()),
        ("stations", each(&mut |page| stations::list(conn, page).map(size))?),
        ("locations", each(&mut |page| locations::list(conn, &Owner::Any, page).map(size))?),
        ("tariffs", each(&mut |page| tariffs::list(conn, &Owner::Any, page).map(size))?),
        ("tokens", each(&mut |page| tokens::list(conn, &Owner::Any, page).map(size))?),
        ("sessions", each(&mut |page| sessions::list(conn, &filter, page).map(size))?),
        ("CDRs", count_cdrs(conn)?),
    ])
}

fn count_cdrs(conn: &mut DbConn) -> DbResult<usize> {
    let (filter, mut place, mut total) = (CdrFilter::of(Owner::Any), 0, 0);
    loop {
        let batch = cdrs::after(conn, &filter, place, BATCH)?;
        let Some(last) = batch.last() else { return Ok(total) };
        place = last.seq;
        total += batch.len();
    }
}

/// The sealed tokens of partners, by which one sees whether a key is the right one.
///
/// # Errors
/// When the database fails.
pub fn sealed_tokens(conn: &mut DbConn) -> DbResult<Vec<String>> {
    use super::schema::partners;
    let sealed: Vec<Option<String>> = partners::table.select(partners::token_out_sealed).load(conn)?;
    Ok(sealed.into_iter().flatten().collect())
}

/// Brings a SQLite database into its one file, which is possible only while nobody else has it open.
///
/// # Errors
/// When somebody has.
pub fn take_out_of_use(file: &Path) -> DbResult<()> {
    let DbConn::Sqlite(mut conn) = open_file(file)? else { return Ok(()) };
    conn.batch_execute("PRAGMA journal_mode = DELETE;")?;
    Ok(())
}
