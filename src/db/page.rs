//! Lists, a page at a time, in the order in which the objects were created: an update then never moves an
//! object from one page to another.

use crate::domain::Timestamp;

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// How many to pass over.
    pub offset: i64,
    /// How many at most.
    pub limit: i64,
    /// Changed at or after.
    pub from: Option<Timestamp>,
    /// Changed before.
    pub to: Option<Timestamp>,
}

impl Page {
    /// The first `limit` objects.
    #[must_use]
    pub fn first(limit: i64) -> Self {
        Self { offset: 0, limit, from: None, to: None }
    }

    /// The page behind this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self { offset: self.offset.saturating_add(self.limit), ..self }
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice<T> {
    /// The objects.
    pub items: Vec<T>,
    /// How many the whole list has.
    pub total: i64,
}

impl<T> Slice<T> {
    /// The same part with each object converted.
    pub fn map<U>(self, convert: impl FnMut(T) -> U) -> Slice<U> {
        Slice { items: self.items.into_iter().map(convert).collect(), total: self.total }
    }
}

/// Filters a boxed query by the page's times.
macro_rules! changed_within {
    ($query:expr, $page:expr, $column:expr) => {{
        let mut query = $query;
        if let Some(from) = $page.from {
            query = query.filter($column.ge(from));
        }
        if let Some(to) = $page.to {
            query = query.filter($column.lt(to));
        }
        query
    }};
}
pub(super) use changed_within;
