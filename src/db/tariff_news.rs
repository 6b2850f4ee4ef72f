//! What a change of assignments means for locations: rows that are written with the change and worked off a few
//! locations at a time, since a tariff may be assigned to all that a CPO has.

use super::schema::tariff_news as news;
use super::types::Json;
use super::{DbConn, DbError, DbResult};
use crate::domain::CiString;
use crate::domain::assignment::ConnectorRef;
use crate::domain::location::Connector;
use crate::domain::party::PartyId;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

/// Which connectors hold other tariffs now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reach {
    /// All of the party.
    Party,
    /// Those of a location.
    Location(CiString),
    /// Those of an EVSE.
    Evse(CiString, CiString),
    /// These.
    Connectors(Vec<ConnectorRef>),
    /// Those that name the tariff themselves.
    Named,
}

impl Reach {
    /// Whether a connector of an EVSE is among them; `tariff_id` is the tariff that is spoken of.
    #[must_use]
    pub fn covers(
        &self,
        location_id: &CiString,
        evse_uid: &CiString,
        connector: &Connector,
        tariff_id: &CiString,
    ) -> bool {
        match self {
            Self::Party => true,
            Self::Location(id) => id == location_id,
            Self::Evse(id, uid) => id == location_id && uid == evse_uid,
            Self::Connectors(all) => all.iter().any(|one| {
                one.location_id == *location_id
                    && one.evse_uid == *evse_uid
                    && one.connector_id == connector.id
            }),
            Self::Named => connector.tariff_ids.iter().flatten().any(|id| id == tariff_id),
        }
    }
}

/// For which partners.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Audience {
    /// All that are told of locations.
    Everybody,
    /// These.
    Partners(Vec<i64>),
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct News {
    /// The tariff.
    pub tariff_id: CiString,
    /// Where.
    pub reach: Reach,
    /// For whom.
    pub audience: Audience,
    /// The tariff may not be told any more: that is said last, after all locations that named it.
    pub takes_back: bool,
}

/// News that are worked off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// Rises with each.
    pub seq: i64,
    /// The CPO.
    pub party: PartyId,
    /// The `seq` of the last location that was touched.
    pub cursor: i64,
    /// What changed.
    pub news: News,
}

/// Adds news.
///
/// # Errors
/// When the database fails.
pub fn push(conn: &mut DbConn, party: &PartyId, new: &News) -> DbResult<()> {
    diesel::insert_into(news::table)
        .values((
            news::country_code.eq(party.country_code()),
            news::party_id.eq(party.party_id()),
            news::cursor.eq(0),
            news::body.eq(Json(new.clone())),
        ))
        .execute(conn)?;
    Ok(())
}

/// The oldest news.
///
/// # Errors
/// When the database fails.
pub fn first(conn: &mut DbConn) -> DbResult<Option<Pending>> {
    let row: Option<(i64, String, String, i64, Json<News>)> = news::table
        .order(news::seq)
        .select((news::seq, news::country_code, news::party_id, news::cursor, news::body))
        .first(conn)
        .optional()?;
    let Some((seq, country_code, party_id, cursor, body)) = row else { return Ok(None) };
    let party = PartyId::new(&country_code, &party_id).map_err(|why| DbError::corrupt("tariff news", why))?;
    Ok(Some(Pending { seq, party, cursor, news: body.0 }))
}

/// Notes how far news were worked off.
///
/// # Errors
/// When the database fails.
pub fn advance(conn: &mut DbConn, seq: i64, cursor: i64) -> DbResult<()> {
    diesel::update(news::table.find(seq)).set(news::cursor.eq(cursor)).execute(conn)?;
    Ok(())
}

/// Removes news that are worked off.
///
/// # Errors
/// When the database fails.
pub fn remove(conn: &mut DbConn, seq: i64) -> DbResult<()> {
    diesel::delete(news::table.find(seq)).execute(conn)?;
    Ok(())
}
