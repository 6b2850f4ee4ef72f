//! Lists with the newest first, a page at a time. A page goes on behind the last object of the one before, so what comes
//! new in between shifts nothing.

use super::filter::{number, whole};
use crate::web::api::input::Parameters;
use crate::web::problem::Problem;
use serde::Deserialize;
use utoipa::IntoParams;

/// Objects on a page, where nobody says how many.
const PAGE: i64 = 50;
/// Most objects on a page.
const LARGEST_PAGE: i64 = 200;

/// Which page.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many at most: 1 to 200; 50 where it is missing.
    #[param(example = "50")]
    limit: Option<String>,
    /// The `next` of the page before.
    after: Option<String>,
}

impl Parameters for PageQuery {
    const NAMES: &'static [&'static str] = &["limit", "after"];
}

/// A page that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    limit: i64,
    /// Only objects before this place in the order of creation.
    pub before: i64,
}

impl PageQuery {
    /// The page.
    ///
    /// # Errors
    /// 400 for what cannot be understood.
    pub fn wanted(&self) -> Result<Wanted, Problem> {
        Wanted::of(self.limit.as_deref(), self.after.as_deref())
    }
}

impl Wanted {
    /// So many objects, behind such a place.
    ///
    /// # Errors
    /// 400 for what cannot be understood.
    pub fn of(limit: Option<&str>, after: Option<&str>) -> Result<Self, Problem> {
        let limit = limit.map_or(Ok(PAGE), |text| whole("limit", text, 1..=LARGEST_PAGE))?;
        let before = after.map_or(Ok(i64::MAX), |text| number("after", text))?;
        Ok(Self { limit, before })
    }

    /// How many objects have to be read: one more than are shown, to know whether there are more.
    #[must_use]
    pub fn to_read(self) -> i64 {
        self.limit.saturating_add(1)
    }

    /// The objects of the page, and what names the next one, if there is one. `seq` is an object's place in the order.
    pub fn cut<T>(self, mut found: Vec<T>, seq: impl Fn(&T) -> i64) -> (Vec<T>, Option<String>) {
        let size = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let more = found.len() > size;
        found.truncate(size);
        let next = found.last().map(|last| seq(last).to_string()).filter(|_| more);
        (found, next)
    }
}
