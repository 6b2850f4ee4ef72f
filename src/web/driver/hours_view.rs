//! When a place is open, as a driver sees it.

use crate::domain::Timestamp;
use crate::domain::location::{ExceptionalPeriod, Hours, RegularHours};
use chrono_tz::Tz;
use serde::Serialize;
use utoipa::ToSchema;

/// When a place is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct HoursView {
    /// Whether it is open now.
    open_now: bool,
    /// When it opens or closes next, if it does within a week.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    next_change: Option<Timestamp>,
    /// Always open, but for the exceptions.
    always: bool,
    /// By weekday, local times.
    regular: Vec<RegularView>,
    /// Open all the same.
    openings: Vec<SpanView>,
    /// Closed all the same.
    closings: Vec<SpanView>,
}

/// Opening hours of a weekday.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RegularView {
    /// Monday is 1, Sunday 7.
    weekday: u8,
    /// `HH:MM`.
    #[schema(example = "08:00")]
    from: String,
    /// `HH:MM`.
    #[schema(example = "20:00")]
    to: String,
}

/// From when to when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SpanView {
    /// From.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// To.
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
}

impl HoursView {
    /// Of the hours of a place in a zone.
    #[must_use]
    pub fn of(hours: Hours, zone: Tz, now: Timestamp) -> Self {
        let (open_now, next_change) = (hours.is_open(now, zone), hours.next_change(now, zone));
        let Hours { twentyfourseven, regular_hours, exceptional_openings, exceptional_closings, extra: _ } =
            hours;
        let regular = |RegularHours { weekday, period_begin, period_end, extra: _ }| RegularView {
            weekday,
            from: period_begin,
            to: period_end,
        };
        let span = |ExceptionalPeriod { period_begin, period_end, extra: _ }| SpanView {
            from: period_begin,
            to: period_end,
        };
        Self {
            open_now,
            next_change,
            always: twentyfourseven,
            regular: regular_hours.into_iter().flatten().map(regular).collect(),
            openings: exceptional_openings.into_iter().flatten().map(span).collect(),
            closings: exceptional_closings.into_iter().flatten().map(span).collect(),
        }
    }
}
