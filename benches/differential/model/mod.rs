//! A third computation of the same prices, with a switch for each question that the engines answer differently.
//!
//! It is what sorts the differences: with every switch at ours it must give what ours gave, with every switch at
//! theirs what theirs gave. A difference belongs to the switches that are needed to come from one to the other,
//! and a difference that no switch explains is a fault of one of the three.

mod matching;
pub(crate) mod rules;
mod spans;
mod sums;

use crate::amounts::{DECIMALS, Totals, Volumes};
use crate::case::Case;
use crate::session::Activity;
use roamwatt::domain::tariff::{PriceComponent, Tariff, TariffDimension};
use rules::{Question, Rules};
use rust_decimal::{Decimal, RoundingStrategy};
use spans::Span;
use sums::Sum;

/// Seconds of an hour.
const HOUR: Decimal = Decimal::from_parts(3600, 0, 0, false, 0);

/// How much was used by a component.
#[derive(Clone, Copy)]
struct Part<'t> {
    /// Index of its tariff.
    tariff: usize,
    component: &'t PriceComponent,
    /// kWh, seconds, or one where it is a fee; as a line of the bill in 3600ths of what the price is for.
    volume: Decimal,
}

/// The lines of the bill.
struct Bill<'t> {
    fixed: Vec<Part<'t>>,
    energy: Vec<Part<'t>>,
    time: Vec<Part<'t>>,
    parking: Vec<Part<'t>>,
    reservation: Vec<Part<'t>>,
}

/// Prices the case.
pub(crate) fn price(case: &Case, rules: Rules) -> Totals {
    let spans = spans::of(case, rules);
    let bill = Bill::of(&case.tariffs, &spans, rules);
    let reservation = Sum::of(&bill.reservation).amount();
    Totals {
        total: sums::total(&case.tariffs, &bill, rules).amount(),
        fixed: Sum::of(&bill.fixed).amount(),
        energy: Sum::of(&bill.energy).amount(),
        time: Sum::of(&bill.time).amount(),
        parking: Sum::of(&bill.parking).amount(),
        reservation: (!rules.foreign(Question::Reservation)).then_some(reservation),
        volumes: volumes(case, &spans, rules),
    }
}

impl<'t> Bill<'t> {
    fn of(tariffs: &'t [Tariff], spans: &[Span], rules: Rules) -> Self {
        let used = |of| (parts(tariffs, spans, of, rules), total(spans, of, rules));
        let (energy, all_energy) = used(Of::Energy);
        let (time, all_time) = used(Of::Time);
        let (parking, all_parking) = used(Of::Parking);
        let parks = if rules.foreign(Question::ParkingOfNoLength) {
            !parking.is_empty()
        } else {
            parking.iter().any(|part| !part.volume.is_zero())
        };
        let second = Decimal::ONE;
        let time = if parks { time } else { step_up(time, all_time, second, rules) };
        let charges =
            |span: &Span| span.activity != Activity::Reserved || rules.foreign(Question::Reservation);
        let energy = step_up(energy, all_energy, Decimal::ONE_THOUSAND, rules);
        Self {
            fixed: in_3600ths(flat(tariffs, spans, rules, charges).into_iter().collect()),
            energy: in_3600ths(energy),
            time,
            parking: step_up(parking, all_parking, second, rules),
            reservation: if rules.foreign(Question::Reservation) {
                Vec::new()
            } else {
                reservation(tariffs, spans, rules)
            },
        }
    }

    fn lines(&self) -> impl Iterator<Item = &Part<'t>> {
        let all = [&self.fixed, &self.energy, &self.time, &self.parking, &self.reservation];
        all.into_iter().flatten()
    }
}

/// Of what has a price for a whole one; a second is one of 3600 in an hour already.
fn in_3600ths(parts: Vec<Part<'_>>) -> Vec<Part<'_>> {
    parts.into_iter().map(|part| Part { volume: part.volume.saturating_mul(HOUR), ..part }).collect()
}

fn volumes(case: &Case, spans: &[Span], rules: Rules) -> Volumes {
    let hours = |seconds: Decimal| {
        let hours = seconds.checked_div(HOUR).unwrap_or_default();
        hours.round_dp_with_strategy(DECIMALS, RoundingStrategy::MidpointAwayFromZero)
    };
    let of = |activity| spans.iter().filter(move |span| span.activity == activity);
    // Both engines take the duration of the session from its times, whatever they price by.
    let lasted = |activity| of(activity).map(|span| span.lasted).sum();
    let charging = hours(lasted(Activity::Charging));
    let parked = hours(lasted(Activity::Parking));
    let parking = hours(of(Activity::Parking).map(|span| span.seconds).sum());
    let whole = Decimal::from(case.end().millis_since(case.start()));
    let time = if rules.foreign(Question::TimeOfReservation) {
        hours(whole.checked_div(Decimal::ONE_THOUSAND).unwrap_or_default())
    } else {
        charging.saturating_add(parked)
    };
    Volumes { energy: spans.iter().filter_map(|span| span.energy).sum(), time, parking }
}

/// What is used by the hour or the kWh.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    Energy,
    Time,
    Parking,
}

impl Of {
    fn dimension(self) -> TariffDimension {
        match self {
            Self::Energy => TariffDimension::Energy,
            Self::Time => TariffDimension::Time,
            Self::Parking => TariffDimension::ParkingTime,
        }
    }

    /// What of it was used in a period; none where it does not matter.
    fn volume(self, span: &Span, rules: Rules) -> Option<Decimal> {
        match (self, span.activity) {
            (Self::Energy, _) if rules.foreign(Question::StepOfNothing) => span.energy,
            (Self::Energy, Activity::Reserved) => None,
            // A component that is active says which VAT applies, also when nothing was charged.
            (Self::Energy, _) => Some(span.energy.unwrap_or_default()),
            (Self::Time, Activity::Charging) | (Self::Parking, Activity::Parking) => {
                let counts = rules.foreign(Question::StepOfNothing) || !span.seconds.is_zero();
                counts.then_some(span.seconds)
            }
            _ => None,
        }
    }
}

fn parts<'t>(tariffs: &'t [Tariff], spans: &[Span], of: Of, rules: Rules) -> Vec<Part<'t>> {
    let found = spans.iter().filter_map(|span| {
        let component = matching::active(tariffs, &of.dimension(), span, rules)?;
        Some(Part { tariff: span.tariff, component, volume: of.volume(span, rules)? })
    });
    found.collect()
}

fn total(spans: &[Span], of: Of, rules: Rules) -> Decimal {
    spans.iter().filter_map(|span| of.volume(span, rules)).sum()
}

/// Adds to the last part what is missing to a whole number of its steps (mod_cdrs, "step_size").
fn step_up<'t>(mut parts: Vec<Part<'t>>, used: Decimal, per_unit: Decimal, rules: Rules) -> Vec<Part<'t>> {
    let billed: Decimal = parts.iter().map(|part| part.volume).sum();
    let whole = if rules.foreign(Question::StepOfFree) { used } else { billed };
    let counts = |part: &&mut Part<'t>| rules.foreign(Question::StepOfNothing) || !part.volume.is_zero();
    let Some(last) = parts.iter_mut().rev().find(counts) else { return parts };
    let step = match last.component.step_size {
        0 if rules.foreign(Question::StepZero) => return parts,
        step => Decimal::from(step.max(1)),
    };
    let steps = whole.saturating_mul(per_unit).checked_div(step).unwrap_or_default().ceil();
    let up = steps.saturating_mul(step).checked_div(per_unit).unwrap_or_default();
    if whole > Decimal::ZERO || rules.foreign(Question::StepOfFeedback) {
        last.volume = last.volume.saturating_add(up.saturating_sub(whole));
    }
    parts
}

/// The first FLAT that is active in the order of time.
fn flat<'t>(
    tariffs: &'t [Tariff],
    spans: &[Span],
    rules: Rules,
    counts: impl Fn(&Span) -> bool,
) -> Option<Part<'t>> {
    let mut spans = spans.iter().filter(|span| counts(span));
    spans.find_map(|span| {
        let component = matching::active(tariffs, &TariffDimension::Flat, span, rules)?;
        Some(Part { tariff: span.tariff, component, volume: Decimal::ONE })
    })
}

fn reservation<'t>(tariffs: &'t [Tariff], spans: &[Span], rules: Rules) -> Vec<Part<'t>> {
    let reserved = spans.iter().filter(|span| span.activity == Activity::Reserved);
    let times: Vec<Part<'t>> = reserved
        .filter_map(|span| {
            let component = matching::active(tariffs, &TariffDimension::Time, span, rules)?;
            Some(Part { tariff: span.tariff, component, volume: span.seconds })
        })
        .collect();
    let used = times.iter().map(|part| part.volume).sum();
    let fee = flat(tariffs, spans, rules, |span| span.activity == Activity::Reserved);
    let fee = in_3600ths(fee.into_iter().collect());
    step_up(times, used, Decimal::ONE, rules).into_iter().chain(fee).collect()
}
