//! Pricing straight from the text, for comparing: slow, and without any code of ours but the domain's types.
//!
//! Every interval between two meter values is cut at every minute, at every moment at which a duration ends and at every
//! crossing of a kWh threshold, and each piece is priced on its own. Amounts are fractions. Where energies, thresholds
//! and times are such that no cut falls between two milliseconds or tenths of a Wh, nothing is rounded anywhere.

use super::*;
use chrono::{Datelike, Offset, TimeZone, Timelike};
use roamwatt::domain::tariff::{
    DayOfWeek, PriceComponent, ReservationRestriction, TariffDimension, TariffRestrictions, TaxIncluded,
};
use roamwatt::pricing::WrappedDays;
use std::collections::BTreeSet;

/// A fraction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fraction(i128, i128);

fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a.abs() } else { gcd(b, a % b) }
}

impl Fraction {
    pub(super) const ZERO: Self = Self(0, 1);

    fn new(numerator: i128, denominator: i128) -> Self {
        let by = gcd(numerator, denominator) * denominator.signum();
        Self(numerator / by, denominator / by)
    }

    fn of(value: Decimal) -> Self {
        Self::new(value.mantissa(), 10_i128.pow(value.scale()))
    }

    fn plus(self, other: Self) -> Self {
        let by = gcd(self.1, other.1);
        Self::new(self.0 * (other.1 / by) + other.0 * (self.1 / by), self.1 / by * other.1)
    }

    fn minus(self, other: Self) -> Self {
        self.plus(Self(-other.0, other.1))
    }

    fn times(self, other: Self) -> Self {
        let (a, b) = (Self::new(self.0, other.1), Self::new(other.0, self.1));
        Self::new(a.0 * b.0, a.1 * b.1)
    }

    fn less(self, other: Self) -> bool {
        self.minus(other).0 < 0
    }

    /// Rounded half away from zero.
    pub(super) fn round(self, decimals: u32) -> Decimal {
        let scaled = self.times(Self(10_i128.pow(decimals), 1));
        let (twice, by) = (scaled.0.abs() * 2 + scaled.1, scaled.1 * 2);
        Decimal::from_i128_with_scale(twice / by * scaled.0.signum(), decimals)
    }
}

/// Before and after tax.
type Amount = (Fraction, Fraction);

fn add(a: Amount, b: Amount) -> Amount {
    (a.0.plus(b.0), a.1.plus(b.1))
}

/// A component by its place: tariff, element, component.
type Place = (usize, usize, usize);

/// A moment within an interval; energies in tenths of a Wh, twice, so that the middle of a piece is whole.
struct Now {
    at: i64,
    started: i64,
    energy_twice: i128,
    power: Option<Decimal>,
    current: Option<Decimal>,
    zone: Tz,
    wrapped: WrappedDays,
}

const DAYS: [DayOfWeek; 7] = [
    DayOfWeek::Monday,
    DayOfWeek::Tuesday,
    DayOfWeek::Wednesday,
    DayOfWeek::Thursday,
    DayOfWeek::Friday,
    DayOfWeek::Saturday,
    DayOfWeek::Sunday,
];

fn minute_of(text: &str) -> u32 {
    let (hours, minutes) = text.split_once(':').unwrap();
    hours.parse::<u32>().unwrap() * 60 + minutes.parse::<u32>().unwrap()
}

fn tenths(energy: Kwh) -> i128 {
    i128::try_from(energy.decimal() * Decimal::from(10_000)).unwrap()
}

fn local_of(now: &Now) -> chrono::NaiveDateTime {
    let utc = chrono::DateTime::from_timestamp_millis(now.at).unwrap().naive_utc();
    let offset = now.zone.offset_from_utc_datetime(&utc).fix();
    utc + chrono::Duration::seconds(i64::from(offset.local_minus_utc()))
}

/// Whether the clock and the day match.
fn in_time(r: &TariffRestrictions, now: &Now) -> bool {
    let local = local_of(now);
    let date = local.date().to_string();
    if r.start_date.as_ref().is_some_and(|from| date < *from)
        || r.end_date.as_ref().is_some_and(|to| date >= *to)
    {
        return false;
    }
    let minute = local.hour() * 60 + local.minute();
    let from = r.start_time.as_deref().map_or(0, minute_of);
    let to = r.end_time.as_deref().map_or(1440, |end| if end == "00:00" { 1440 } else { minute_of(end) });
    let wraps = to < from;
    let inside = if wraps { minute >= from || minute < to } else { from <= minute && minute < to };
    let mut day = usize::try_from(local.weekday().num_days_from_monday()).unwrap();
    if wraps && minute < to && now.wrapped == WrappedDays::WindowStart {
        day = (day + 6) % 7;
    }
    let on = r.day_of_week.as_ref().is_none_or(|days| days.is_empty() || days.contains(&DAYS[day]));
    inside && on
}

fn within(value: Option<Decimal>, min: Option<Decimal>, max: Option<Decimal>) -> bool {
    if min.is_none() && max.is_none() {
        return true;
    }
    value.is_some_and(|v| min.is_none_or(|min| v >= min) && max.is_none_or(|max| v < max))
}

fn holds(r: &TariffRestrictions, now: &Now) -> bool {
    let seconds = |limit: u64| i64::try_from(limit).unwrap() * 1000;
    let elapsed = now.at - now.started;
    r.reservation.is_none()
        && in_time(r, now)
        && r.min_kwh.is_none_or(|min| now.energy_twice >= 2 * tenths(min))
        && r.max_kwh.is_none_or(|max| now.energy_twice < 2 * tenths(max))
        && within(now.power, r.min_power, r.max_power)
        && within(now.current, r.min_current, r.max_current)
        && r.min_duration.is_none_or(|min| elapsed >= seconds(min))
        && r.max_duration.is_none_or(|max| elapsed < seconds(max))
}

/// The first element with a component of the dimension whose restrictions match.
fn find(tariffs: &[Tariff], tariff: usize, wanted: &TariffDimension, now: &Now) -> Option<Place> {
    for (at, element) in tariffs[tariff].elements.iter().enumerate() {
        let component = element.price_components.iter().position(|one| one.dimension == *wanted);
        let matches = element.restrictions.as_ref().is_none_or(|r| holds(r, now));
        if let Some(component) = component.filter(|_| matches) {
            return Some((tariff, at, component));
        }
    }
    None
}

/// What was used by component, in the order of time: tenths of a Wh, or milliseconds.
#[derive(Default)]
struct Used {
    list: Vec<(Place, i128)>,
}

impl Used {
    fn total(&self) -> i128 {
        self.list.iter().map(|one| one.1).sum()
    }
}

/// What a charge costs, exactly.
pub(super) struct Naive<'a> {
    tariffs: &'a [Tariff],
    zone: Tz,
    wrapped: WrappedDays,
    started: i64,
    energy: Used,
    time: Used,
    parking: Used,
    flat: Option<Place>,
}

/// Prices a charge of which every step is measured.
pub(super) fn price(
    tariffs: &[Tariff],
    policy: PricingPolicy,
    zone: Tz,
    progress: &[Progress],
) -> (Fraction, Fraction) {
    let started = progress[0].at.millis();
    let mut naive = Naive {
        tariffs,
        zone,
        wrapped: policy.wrapped_days,
        started,
        energy: Used::default(),
        time: Used::default(),
        parking: Used::default(),
        flat: None,
    };
    // The current is the last that was told.
    let mut current = progress[0].current_a;
    for pair in progress.windows(2) {
        current = pair[1].current_a.or(current);
        naive.interval(&pair[0], &pair[1], current);
    }
    naive.total()
}

impl Naive<'_> {
    fn component(&self, place: Place) -> &PriceComponent {
        &self.tariffs[place.0].elements[place.1].price_components[place.2]
    }

    /// Every moment at which anything may change.
    fn cuts(&self, from: (i64, i128), to: (i64, i128)) -> BTreeSet<(i64, i128)> {
        let (span, flow) = (i128::from(to.0 - from.0), to.1 - from.1);
        let energy_at = |at: i64| from.1 + flow * i128::from(at - from.0) / span;
        let mut cuts = BTreeSet::from([from, to]);
        let first = from.0.div_euclid(MINUTE) + 1;
        for minute in first..=to.0.div_euclid(MINUTE) {
            cuts.insert((minute * MINUTE, energy_at(minute * MINUTE)));
        }
        let all = self.tariffs.iter().flat_map(|tariff| &tariff.elements);
        for r in all.filter_map(|element| element.restrictions.as_ref()) {
            for limit in [r.min_duration, r.max_duration].into_iter().flatten() {
                let at = self.started + i64::try_from(limit).unwrap() * 1000;
                if from.0 < at && at < to.0 {
                    cuts.insert((at, energy_at(at)));
                }
            }
            for limit in [r.min_kwh, r.max_kwh].into_iter().flatten().map(tenths) {
                if (from.1 < limit && limit < to.1) || (to.1 < limit && limit < from.1) {
                    let at = from.0 + i64::try_from((limit - from.1) * span / flow).unwrap();
                    cuts.insert((at, limit));
                }
            }
        }
        cuts
    }

    fn interval(&mut self, a: &Progress, b: &Progress, current: Option<Decimal>) {
        let of = |one: &Progress| (one.at.millis(), tenths(one.energy.unwrap()));
        let (from, to) = (of(a), of(b));
        if from.0 == to.0 {
            assert_eq!(from.1, to.1, "no energy flows in no time");
            return;
        }
        let mut cuts: Vec<(i64, i128)> = self.cuts(from, to).into_iter().collect();
        cuts.sort_by_key(|cut| cut.0);
        // Mean power in kW, to the watt.
        let watts = Fraction::new((to.1 - from.1) * 360_000, i128::from(to.0 - from.0));
        let power = Some(watts.round(0) / Decimal::from(1000));
        for piece in cuts.windows(2) {
            let now = Now {
                at: piece[0].0,
                started: self.started,
                energy_twice: piece[0].1 + piece[1].1,
                power,
                current,
                zone: self.zone,
                wrapped: self.wrapped,
            };
            self.piece(a, &now, piece[1].0 - piece[0].0, piece[1].1 - piece[0].1);
        }
    }

    fn piece(&mut self, a: &Progress, now: &Now, millis: i64, energy: i128) {
        let tariff = usize::from(a.tariff);
        let found = |dimension| find(self.tariffs, tariff, &dimension, now);
        let (by_energy, flat) = (found(TariffDimension::Energy), found(TariffDimension::Flat));
        let by_time = match a.activity {
            Activity::Charging => found(TariffDimension::Time),
            Activity::Parking => found(TariffDimension::ParkingTime),
        };
        self.flat = self.flat.or(flat);
        self.energy.list.extend(by_energy.map(|place| (place, energy)));
        let used = match a.activity {
            Activity::Charging => &mut self.time,
            Activity::Parking => &mut self.parking,
        };
        used.list.extend(by_time.map(|place| (place, i128::from(millis))));
    }

    /// What is missing to whole steps of the last component by which anything was used.
    fn step(&self, used: &mut Used, unit: i128) {
        let total = used.total();
        let Some(&(last, _)) = used.list.iter().rfind(|one| one.1 != 0) else { return };
        let step = i128::from(self.component(last).step_size.max(1)) * unit;
        if total > 0 && total % step != 0 {
            used.list.push((last, step - total % step));
        }
    }

    fn amount(&self, place: Place, quantity: Fraction) -> Amount {
        let component = self.component(place);
        let stated = Fraction::of(component.price.decimal()).times(quantity);
        let included = self.tariffs[place.0].tax_included.clone();
        let vat = component.vat.filter(|_| included != Some(TaxIncluded::NotApplicable));
        let Some(vat) = vat else { return (stated, stated) };
        let factor = Fraction::of(Decimal::ONE + vat / Decimal::from(100));
        if included == Some(TaxIncluded::Yes) {
            (stated.times(Fraction(factor.1, factor.0)), stated)
        } else {
            (stated, stated.times(factor))
        }
    }

    fn total(mut self) -> Amount {
        let mut used = [
            std::mem::take(&mut self.energy),
            std::mem::take(&mut self.time),
            std::mem::take(&mut self.parking),
        ];
        self.step(&mut used[0], 10);
        if used[2].total() == 0 {
            self.step(&mut used[1], 1000);
        }
        self.step(&mut used[2], 1000);
        let units = [10_000, 3_600_000, 3_600_000];
        let mut total = (Fraction::ZERO, Fraction::ZERO);
        for tariff in 0..self.tariffs.len() {
            let mut sum = (Fraction::ZERO, Fraction::ZERO);
            let (mut any, mut taxed) = (false, false);
            let lines = used.iter().zip(units).flat_map(|(used, unit)| {
                used.list.iter().map(move |one| (one.0, Fraction::new(one.1, unit)))
            });
            let flat = self.flat.map(|place| (place, Fraction(1, 1)));
            for (place, quantity) in lines.chain(flat).filter(|(place, _)| place.0 == tariff) {
                sum = add(sum, self.amount(place, quantity));
                any = true;
                taxed |= self.component(place).vat.is_some()
                    && self.tariffs[tariff].tax_included != Some(TaxIncluded::NotApplicable);
            }
            if any || self.tariffs.len() == 1 {
                sum = self.bounded(tariff, sum, taxed);
            }
            total = add(total, sum);
        }
        total
    }

    /// `min_price` and `max_price`, before and after tax each on its own; one that says nothing of what is after tax
    /// changes both by the same.
    fn bounded(&self, tariff: usize, sum: Amount, taxed: bool) -> Amount {
        let mut sum = sum;
        let tariff = &self.tariffs[tariff];
        if let Some(min) = &tariff.min_price {
            let more = |known: Fraction, limit: Fraction| {
                if known.less(limit) { limit.minus(known) } else { Fraction::ZERO }
            };
            let excl = more(sum.0, Fraction::of(min.excl_vat.decimal()));
            let incl = min.incl_vat.map_or(excl, |after| more(sum.1, Fraction::of(after.decimal())));
            sum = add(sum, (excl, incl));
        }
        if let Some(max) = &tariff.max_price {
            let less = |known: Fraction, limit: Fraction| {
                if limit.less(known) { limit.minus(known) } else { Fraction::ZERO }
            };
            let excl = less(sum.0, Fraction::of(max.excl_vat.decimal()));
            let taxed = taxed || sum.1.minus(sum.0).0 != 0;
            let incl = max
                .incl_vat
                .filter(|_| taxed)
                .map_or(excl, |after| less(sum.1, Fraction::of(after.decimal())));
            sum = add(sum, (excl, incl));
        }
        sum
    }
}

/// Kept apart so that a reservation's elements are known to price no charge.
#[test]
fn a_reservation_prices_no_charge() {
    let mut only = simple(&[("ENERGY", "1", None, 1)]);
    only.elements[0].restrictions = Some(TariffRestrictions {
        reservation: Some(ReservationRestriction::Reservation),
        ..TariffRestrictions::default()
    });
    let progress = [step(0, "0", Activity::Charging), step(60 * MINUTE, "5", Activity::Charging)];
    let (excl, _) = price(&[only], PricingPolicy::default(), ZONE, &progress);
    assert_eq!(excl.round(2), decimal("0.00"));
}
