//! Tariffs that are likely to matter for a session: thresholds stand where the session passes.

use crate::dice::Dice;
use crate::session::Session;
use crate::versions::Version;
use chrono::{DateTime, Datelike, TimeDelta};
use chrono_tz::Tz;
use roamwatt::domain::party::PartyId;
use roamwatt::domain::tariff::{
    DayOfWeek, Price, PriceComponent, ReservationRestriction, Tariff, TariffDimension, TariffElement,
    TariffRestrictions,
};
use roamwatt::domain::{CiString, Extra, Kwh, Money, Timestamp};
use rust_decimal::Decimal;

/// In the order of the week.
pub(crate) const WEEK: [DayOfWeek; 7] = [
    DayOfWeek::Monday,
    DayOfWeek::Tuesday,
    DayOfWeek::Wednesday,
    DayOfWeek::Thursday,
    DayOfWeek::Friday,
    DayOfWeek::Saturday,
    DayOfWeek::Sunday,
];

/// Throws a tariff for `session`.
pub(crate) fn throw(dice: &mut Dice, session: &Session, version: Version, id: &str) -> Tariff {
    let moments = Moments::of(session);
    let rates = throw_rates(dice, version);
    let count = dice.between(1, 5);
    let elements = (0..count).map(|_| throw_element(dice, &moments, version, &rates)).collect();
    let bounds = version.has_bounds();
    let min_price = (bounds && dice.chance(15)).then(|| throw_bound(dice, 2000));
    let max_price = (bounds && dice.chance(15)).then(|| throw_bound(dice, 5000));
    Tariff {
        party: party(),
        id: CiString::from(id),
        currency: "EUR".to_owned(),
        tariff_type: None,
        tariff_alt_text: None,
        tariff_alt_url: None,
        tax_included: None,
        min_price,
        max_price,
        elements,
        start_date_time: None,
        end_date_time: None,
        energy_mix: None,
        last_updated: Timestamp::from_millis(1_700_000_000_000).unwrap_or_else(zero),
        extra: Extra::new(),
    }
}

/// The CPO of every case.
pub(crate) fn party() -> PartyId {
    // The text is right; an owner that cannot be read would show at once.
    PartyId::new("NL", "ABC").unwrap_or_else(|error| unreachable!("{error}"))
}

fn zero() -> Timestamp {
    Timestamp::new(DateTime::UNIX_EPOCH)
}

/// An amount; zero where it does not fit, which what is thrown here always does.
pub(crate) fn money(amount: Decimal) -> Money {
    Money::parse(amount).unwrap_or_default()
}

fn throw_rates(dice: &mut Dice, version: Version) -> Vec<Option<Decimal>> {
    let known =
        [Some(Decimal::from(21)), Some(Decimal::from(10)), Some(Decimal::new(52, 1)), Some(Decimal::ZERO)];
    match dice.between(0, 9) {
        _ if !version.has_vat() => vec![None],
        0..=3 => vec![dice.pick(&known)],
        4..=5 => vec![None],
        6..=7 => known.to_vec(),
        _ => known.iter().copied().chain([None]).collect(),
    }
}

fn throw_bound(dice: &mut Dice, most: i64) -> Price {
    let net = dice.decimal(1, most, 2);
    let gross = match dice.between(0, 5) {
        0 => None,
        // Not in proportion: both apply, each on its own.
        1 => Some(dice.decimal(1, most, 2)),
        _ => net.checked_mul(Decimal::new(121, 2)),
    };
    Price { excl_vat: money(net), incl_vat: gross.map(money), extra: Extra::new() }
}

fn throw_element(
    dice: &mut Dice,
    moments: &Moments,
    version: Version,
    rates: &[Option<Decimal>],
) -> TariffElement {
    let all =
        [TariffDimension::Energy, TariffDimension::Time, TariffDimension::ParkingTime, TariffDimension::Flat];
    let mut price_components = Vec::new();
    for kind in all {
        if dice.chance(45) {
            price_components.push(Draft(kind).priced(dice, rates));
        }
    }
    if price_components.is_empty() {
        price_components.push(Draft(TariffDimension::Energy).priced(dice, rates));
    }
    let restrictions = dice.chance(60).then(|| throw_restrictions(dice, moments, version));
    let reserves = restrictions.as_ref().is_some_and(|all| all.reservation.is_some());
    if reserves {
        price_components.retain(|c| matches!(c.dimension, TariffDimension::Time | TariffDimension::Flat));
        if price_components.is_empty() {
            price_components.push(Draft(TariffDimension::Time).priced(dice, rates));
        }
    }
    TariffElement { price_components, restrictions, extra: Extra::new() }
}

/// A component without its price.
struct Draft(TariffDimension);

impl Draft {
    fn priced(self, dice: &mut Dice, rates: &[Option<Decimal>]) -> PriceComponent {
        let scale = u32::try_from(dice.between(2, 4)).unwrap_or(2);
        let price = if dice.chance(5) { Decimal::ZERO } else { dice.decimal(1, 900, scale) };
        let step_size = match dice.between(0, 9) {
            0 => 0,
            1..=5 => 1,
            _ => dice.pick(&[60, 100, 300, 500, 900, 1000]),
        };
        let vat = dice.pick(rates);
        PriceComponent { dimension: self.0, price: money(price), vat, step_size, extra: Extra::new() }
    }
}

/// Where the session passes: what thresholds are taken from.
struct Moments {
    start: i64,
    zone: Tz,
    /// UTC, in milliseconds.
    at: Vec<i64>,
    energy: Vec<Decimal>,
    power: Vec<Decimal>,
    current: Vec<Decimal>,
}

impl Moments {
    fn of(session: &Session) -> Self {
        let mut energy = vec![Decimal::ZERO];
        for piece in &session.pieces {
            let last = energy.last().copied().unwrap_or_default();
            energy.push(last.saturating_add(piece.energy));
        }
        Self {
            start: session.plugged_in(),
            zone: session.zone,
            at: session.pieces.iter().map(|piece| piece.at).chain([session.end]).collect(),
            energy,
            power: session.pieces.iter().filter_map(|piece| piece.power).collect(),
            current: session.pieces.iter().filter_map(|piece| piece.current).collect(),
        }
    }

    /// A moment of the session, or one in between or near it.
    fn moment(&self, dice: &mut Dice) -> i64 {
        let at = dice.pick(&self.at);
        if dice.chance(50) { at } else { at + dice.between(-120, 120) * 60_000 }
    }

    fn local(&self, millis: i64) -> DateTime<Tz> {
        let at = Timestamp::from_millis(millis).unwrap_or_else(zero);
        at.utc().with_timezone(&self.zone)
    }

    fn time(&self, dice: &mut Dice) -> String {
        if dice.chance(10) {
            return "00:00".to_owned();
        }
        self.local(self.moment(dice)).format("%H:%M").to_string()
    }

    fn date(&self, dice: &mut Dice) -> String {
        let day = self.local(self.moment(dice)).date_naive();
        let near = day.checked_add_signed(TimeDelta::days(dice.between(-1, 1))).unwrap_or(day);
        near.format("%Y-%m-%d").to_string()
    }

    fn day(&self, dice: &mut Dice) -> DayOfWeek {
        let day = self.local(self.moment(dice)).weekday().num_days_from_monday();
        let index = usize::try_from(day).unwrap_or_default();
        WEEK.get(index).cloned().unwrap_or(DayOfWeek::Monday)
    }

    fn duration(&self, dice: &mut Dice) -> u64 {
        u64::try_from((self.moment(dice) - self.start) / 1000).unwrap_or_default()
    }

    fn kwh(&self, dice: &mut Dice) -> Kwh {
        let reached = dice.pick(&self.energy);
        let value = if dice.chance(50) { reached } else { dice.decimal(1, 60_000, 3) };
        Kwh::parse(value.max(Decimal::ZERO)).unwrap_or_default()
    }
}

fn near(dice: &mut Dice, values: &[Decimal]) -> Decimal {
    if dice.chance(50) && !values.is_empty() { dice.pick(values) } else { dice.decimal(0, 600, 1) }
}

fn throw_restrictions(dice: &mut Dice, moments: &Moments, version: Version) -> TariffRestrictions {
    let mut all = TariffRestrictions::default();
    if version.has_reservations() && dice.chance(8) {
        all.reservation = Some(if dice.chance(70) {
            ReservationRestriction::Reservation
        } else {
            ReservationRestriction::ReservationExpires
        });
        return all;
    }
    for _ in 0..dice.between(1, 2) {
        throw_restriction(dice, moments, version, &mut all);
    }
    all
}

/// One restriction, or both ends of one.
fn throw_restriction(dice: &mut Dice, moments: &Moments, version: Version, all: &mut TariffRestrictions) {
    let ends = dice.between(0, 2);
    let (from, to) = (ends != 1, ends != 0);
    match dice.between(0, 6) {
        0 => {
            all.start_time = from.then(|| moments.time(dice));
            all.end_time = to.then(|| moments.time(dice));
        }
        1 => {
            all.start_date = from.then(|| moments.date(dice));
            all.end_date = to.then(|| moments.date(dice));
        }
        2 => {
            let some: Vec<DayOfWeek> = (0..=ends).map(|_| moments.day(dice)).collect();
            all.day_of_week = Some(WEEK.into_iter().filter(|day| some.contains(day)).collect());
        }
        3 => {
            all.min_kwh = from.then(|| moments.kwh(dice));
            all.max_kwh = to.then(|| moments.kwh(dice));
        }
        4 => {
            all.min_duration = from.then(|| moments.duration(dice));
            all.max_duration = to.then(|| moments.duration(dice));
        }
        5 if version.has_current() => {
            all.min_current = from.then(|| near(dice, &moments.current));
            all.max_current = to.then(|| near(dice, &moments.current));
        }
        _ => {
            all.min_power = from.then(|| near(dice, &moments.power));
            all.max_power = to.then(|| near(dice, &moments.power));
        }
    }
}
