//! What happened at a station: pieces of charging, parking and reservation with what was used in them.

use crate::dice::Dice;
use crate::versions::Version;
use roamwatt::domain::Timestamp;
use rust_decimal::Decimal;

/// What the driver did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activity {
    Charging,
    Parking,
    Reserved,
}

/// What happened from `at` on.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    /// UTC, in milliseconds.
    pub(crate) at: i64,
    pub(crate) activity: Activity,
    /// kWh.
    pub(crate) energy: Decimal,
    /// kW; none where the station did not say.
    pub(crate) power: Option<Decimal>,
    /// A, summed over the phases.
    pub(crate) current: Option<Decimal>,
    /// How much of power and current is the lowest of it: one where they do not vary.
    pub(crate) steadiness: Decimal,
}

/// A whole session.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) zone: chrono_tz::Tz,
    pub(crate) pieces: Vec<Piece>,
    /// UTC, in milliseconds.
    pub(crate) end: i64,
}

/// Days on which something happens to clocks and calendars, and one on which nothing does (UTC midnight).
const DAYS: [&str; 6] = ["2025-03-30", "2025-10-26", "2026-03-08", "2024-02-29", "2026-12-31", "2026-06-17"];
const ZONES: [&str; 6] =
    ["Europe/Amsterdam", "Europe/Berlin", "Europe/Helsinki", "Europe/Lisbon", "America/New_York", "UTC"];
const DAY: i64 = 86_400;

impl Session {
    /// When it began.
    pub(crate) fn start(&self) -> i64 {
        self.pieces.first().map_or(self.end, |piece| piece.at)
    }

    /// When charging began: a reservation before it is none of the session's duration.
    pub(crate) fn plugged_in(&self) -> i64 {
        let first = self.pieces.iter().find(|piece| piece.activity != Activity::Reserved);
        first.map_or(self.end, |piece| piece.at)
    }

    /// Each piece with its end.
    pub(crate) fn spans(&self) -> impl Iterator<Item = (&Piece, i64)> {
        let ends = self.pieces.iter().skip(1).map(|next| next.at).chain(std::iter::once(self.end));
        self.pieces.iter().zip(ends)
    }

    /// Throws a session.
    pub(crate) fn throw(dice: &mut Dice, version: Version) -> Self {
        let zone = dice.pick(&ZONES).parse().unwrap_or(chrono_tz::UTC);
        // Multiples of 36 seconds are told in hours without rounding.
        let grid = match dice.between(0, 3) {
            0 | 1 => 36,
            2 => 60,
            _ => 1,
        };
        let mut at = throw_start(dice, grid);
        let mut pieces = Vec::new();
        if version.has_reservations() && dice.chance(8) {
            let piece = Piece { activity: Activity::Reserved, ..throw_piece(dice, at, false) };
            pieces.push(Piece { energy: Decimal::ZERO, power: None, current: None, ..piece });
            at += throw_length(dice, grid).max(grid * 1000);
        }
        let expires = !pieces.is_empty() && dice.chance(20);
        let tells_power = dice.chance(60);
        let count = if expires { 0 } else { dice.between(1, 5) };
        for index in 0..count {
            let mut piece = throw_piece(dice, at, tells_power);
            if dice.chance(if index == 0 { 5 } else { 35 }) {
                park(dice, &mut piece);
            }
            pieces.push(piece);
            at += throw_length(dice, grid);
        }
        Self { zone, pieces, end: at }
    }
}

fn throw_start(dice: &mut Dice, grid: i64) -> i64 {
    let midnight = if dice.chance(20) {
        let day: Option<Timestamp> = format!("{}T00:00:00Z", dice.pick(&DAYS)).parse().ok();
        day.map_or(0, Timestamp::millis) / 1000 - DAY / 2
    } else {
        // 2025-01-01 and the two years after it.
        1_735_689_600 + dice.between(0, 730) * DAY
    };
    (midnight + dice.between(0, DAY / grid) * grid) * 1000
}

fn throw_length(dice: &mut Dice, grid: i64) -> i64 {
    if dice.chance(2) {
        return 0;
    }
    let longest = if dice.chance(15) { DAY } else { 3 * 3600 };
    dice.between(1, longest / grid) * grid * 1000
}

fn throw_piece(dice: &mut Dice, at: i64, tells_power: bool) -> Piece {
    let energy = match dice.between(0, 19) {
        0 => Decimal::ZERO,
        1 if dice.chance(20) => dice.decimal(-5000, 0, 3),
        2..=4 => dice.decimal(1, 400_000, 4),
        _ => dice.decimal(1, 40_000, 3),
    };
    let power = tells_power.then(|| dice.decimal(0, 500, 1));
    let current = tells_power.then(|| dice.decimal(0, 960, 1));
    let steadiness = if dice.chance(85) { Decimal::ONE } else { dice.decimal(0, 9, 1) };
    Piece { at, activity: Activity::Charging, energy, power, current, steadiness }
}

fn park(dice: &mut Dice, piece: &mut Piece) {
    piece.activity = Activity::Parking;
    piece.energy = if dice.chance(5) { dice.decimal(1, 50, 3) } else { Decimal::ZERO };
    piece.power = piece.power.map(|_| Decimal::ZERO);
    piece.current = piece.current.map(|_| Decimal::ZERO);
}
