//! Whose objects a list shows.

use crate::db::locations::Owner;
use crate::web::problem::Problem;
use serde::Deserialize;
use utoipa::ToSchema;

/// Whose objects are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Whose {
    /// Our own parties'.
    Ours,
    /// Everybody's.
    All,
}

/// Whose objects two parameters of a query mean together.
///
/// # Errors
/// 400 where they contradict each other.
pub fn owner(whose: Option<Whose>, partner: Option<i64>) -> Result<Owner, Problem> {
    match (whose, partner) {
        (Some(Whose::Ours), Some(_)) => Err(Problem::bad(
            "query",
            "partner",
            "objects of ours are no partner's; leave one of the two out",
        )),
        (Some(Whose::Ours), None) => Ok(Owner::Ours),
        (_, Some(id)) => Ok(Owner::Partner(id)),
        (_, None) => Ok(Owner::Any),
    }
}
