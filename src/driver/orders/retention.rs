//! Forgets orders, with the commands that were made of them, when they were kept for their time.

use crate::app::App;
use crate::db::{DbConn, DbError, commands, driver_orders};
use crate::domain::Timestamp;
use chrono::TimeDelta;

/// Orders that are looked at in one transaction.
const AT_ONCE: i64 = 500;

/// What one transaction did.
struct Part {
    removed: usize,
    /// The last that was looked at, unless there are no more.
    behind: Option<(Timestamp, String)>,
}

/// Forgets the orders that are older than `driver.orders_kept`; how many. A reservation stays until it has ended.
///
/// # Errors
/// When the database fails; what was forgotten until then is.
pub async fn forget_old(app: &App) -> Result<usize, DbError> {
    let now = app.now();
    let kept = TimeDelta::from_std(app.config.driver.orders_kept).unwrap_or(TimeDelta::MAX);
    let before = now.minus(kept);
    let mut removed: usize = 0;
    let mut behind = None;
    loop {
        let from: Option<(Timestamp, String)> = behind.take();
        let part = app.db.write(move |conn| forget_part(conn, before, from.as_ref(), now)).await?;
        removed = removed.saturating_add(part.removed);
        match part.behind {
            Some(last) => behind = Some(last),
            None => return Ok(removed),
        }
    }
}

fn forget_part(
    conn: &mut DbConn,
    before: Timestamp,
    behind: Option<&(Timestamp, String)>,
    now: Timestamp,
) -> Result<Part, DbError> {
    let found = driver_orders::older_than(conn, before, behind, AT_ONCE)?;
    let whole = i64::try_from(found.len()).is_ok_and(|count| count >= AT_ONCE);
    let last = found.last().map(|order| (order.created, order.id.clone())).filter(|_| whole);
    let is_over = |order: &driver_orders::Order| order.body.expires.is_none_or(|expires| expires <= now);
    let over: Vec<String> = found.into_iter().filter(is_over).map(|order| order.id).collect();
    commands::remove(conn, &over)?;
    let removed = driver_orders::remove(conn, &over)?;
    Ok(Part { removed, behind: last })
}
