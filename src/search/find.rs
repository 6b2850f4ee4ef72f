//! Places in a box or around a point, a page at a time: in a box in the order of creation, around a point the nearest
//! first. A page goes on behind the last place of the one before, so what changes in between shifts nothing.
#![expect(clippy::float_arithmetic, reason = "metres, of which nothing is billed")]

use super::columns::{Brief, Wanted};
use super::filter::Filter;
use super::geo::{GeoBox, Point, whole};
use super::place::Place;
use super::snapshot::Snapshot;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// Where to look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Area {
    /// In a box.
    Box(GeoBox),
    /// So many metres around a point.
    Circle(Point, f64),
}

/// Behind which place a page begins: its distance in millimetres (0 in a box) and its place in the order of creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    millimetres: u64,
    seq: i64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.millimetres, self.seq)
    }
}

impl FromStr for Cursor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = |text: &str| {
            let (millimetres, seq) = text.split_once('.')?;
            Some(Self { millimetres: millimetres.parse().ok()?, seq: seq.parse().ok()? })
        };
        read(text).ok_or("it is none that a page named as its `next`")
    }
}

/// What is looked for.
pub struct Query<'a> {
    /// Where.
    pub area: Area,
    /// What.
    pub filter: &'a Filter,
    /// Whether whoever asks may see a place that is not for everybody.
    pub sees: &'a dyn Fn(&Place) -> bool,
    /// Behind which place.
    pub after: Option<Cursor>,
    /// How many at most.
    pub limit: usize,
}

impl fmt::Debug for Query<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query").field("area", &self.area).field("filter", self.filter).finish_non_exhaustive()
    }
}

/// A place that fits.
#[derive(Debug, Clone)]
pub struct Hit {
    /// The place.
    pub place: Arc<Place>,
    /// How many of its EVSEs fit.
    pub fitting: usize,
    /// How many of these are free.
    pub free: usize,
    /// Metres from the point around which was looked.
    pub metres: Option<f64>,
}

impl Hit {
    /// Whole metres from the point around which was looked.
    #[must_use]
    pub fn whole_metres(&self) -> Option<u64> {
        self.metres.map(|metres| whole(metres.round()))
    }
}

/// A page of places.
#[derive(Debug, Clone)]
pub struct Found {
    /// The places of the page.
    pub hits: Vec<Hit>,
    /// How many places fit in all.
    pub total: usize,
    /// Behind which place the next page begins; none on the last.
    pub next: Option<Cursor>,
}

impl Snapshot {
    /// The places that fit.
    #[must_use]
    pub fn find(&self, query: &Query<'_>) -> Found {
        let mut all: Vec<(Cursor, Hit)> = Vec::new();
        self.each(query.area, query.filter, query.sees, |candidate| {
            let Some(hit) = self.hit(&candidate) else { return };
            // Distances on earth have far fewer millimetres than a u64 holds.
            let millimetres = hit.metres.map_or(0, |metres| whole((metres * 1000.0).round()));
            all.push((Cursor { millimetres, seq: hit.place.seq }, hit));
        });
        all.sort_unstable_by_key(|(cursor, _)| *cursor);
        let total = all.len();
        let begin = query.after.map_or(0, |after| all.partition_point(|(cursor, _)| *cursor <= after));
        let mut hits: Vec<(Cursor, Hit)> = all.into_iter().skip(begin).take(query.limit).collect();
        let more = begin + hits.len() < total;
        let next = hits.last().map(|(cursor, _)| *cursor).filter(|_| more);
        Found { hits: hits.drain(..).map(|(_, hit)| hit).collect(), total, next }
    }

    /// Each place that fits, in no order.
    pub(super) fn each<'a>(
        &'a self,
        area: Area,
        filter: &Filter,
        sees: &dyn Fn(&Place) -> bool,
        mut take: impl FnMut(Candidate<'a>),
    ) {
        let around = match area {
            Area::Box(area) => area,
            Area::Circle(center, metres) => center.around(metres),
        };
        let wanted = Wanted::of(self.columns(), filter);
        for (at, brief) in around.envelopes().flat_map(|part| self.within(part)) {
            if !wanted.allows(brief) || (brief.restricted && !self.place(at).is_some_and(|place| sees(place)))
            {
                continue;
            }
            let (mut fitting, mut free) = (0, 0);
            for spot in brief.spots() {
                let is_free = self.is_free(spot);
                if wanted.fits(spot, is_free) {
                    fitting += 1;
                    free += usize::from(is_free);
                }
            }
            if fitting == 0 {
                continue;
            }
            let metres = match area {
                Area::Box(_) => None,
                Area::Circle(center, most) => match center.distance(brief.point) {
                    metres if metres <= most => Some(metres),
                    _ => continue,
                },
            };
            take(Candidate { at, brief, fitting, free, metres });
        }
    }

    /// The place of a candidate.
    pub(super) fn hit(&self, candidate: &Candidate<'_>) -> Option<Hit> {
        let Candidate { at, brief: _, fitting, free, metres } = *candidate;
        self.place(at).map(|place| Hit { place: Arc::clone(place), fitting, free, metres })
    }
}

/// A place that fits, before anybody looked at the place itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate<'a> {
    /// Its number in the snapshot.
    at: usize,
    pub(super) brief: &'a Brief,
    pub(super) fitting: usize,
    pub(super) free: usize,
    metres: Option<f64>,
}
