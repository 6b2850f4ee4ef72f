//! Use cases on sites under load management: write, remove, look.

use super::Energy;
use crate::db::load::{self as stored, SiteRow};
use crate::db::{Db, DbConn, DbError};
use crate::domain::Timestamp;
use crate::load::site::Site;

/// Why a site cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum SiteProblem {
    /// A station is in another site already.
    #[error("station[{place}].id: {station} is in the site {site} already; a station belongs to one site")]
    Taken {
        /// Its place in the site that was to be written.
        place: usize,
        /// Which.
        station: String,
        /// Where it is.
        site: String,
    },
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// Writes a site that was read and checked, new or in place of the one of its id. A running node takes it over
/// within seconds; its stations keep what they were granted.
///
/// # Errors
/// When one of its stations is in another site, or the database fails.
pub fn put_site(conn: &mut DbConn, site: &Site, now: Timestamp) -> Result<(), SiteProblem> {
    for other in stored::all(conn)?.into_iter().filter(|other| other.site.id != site.id) {
        for (place, station) in site.stations.iter().enumerate() {
            if other.site.stations.iter().any(|theirs| theirs.id == station.id) {
                return Err(SiteProblem::Taken { place, station: station.id.clone(), site: other.site.id });
            }
        }
    }
    Ok(stored::put(conn, site, now)?)
}

/// Removes a site; whether it was there.
///
/// # Errors
/// When the database fails.
pub async fn remove_site(db: &Db, energy: &Energy, id: &str) -> Result<bool, DbError> {
    let id = id.to_owned();
    let removed = db.write(move |conn| stored::remove(conn, &id)).await?;
    energy.sites_changed();
    Ok(removed)
}

/// Every site.
///
/// # Errors
/// When the database fails.
pub async fn all_sites(db: &Db) -> Result<Vec<SiteRow>, DbError> {
    db.read(stored::all).await
}
