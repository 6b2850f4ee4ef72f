//! Why a charge costs what it costs: a line for each part of each period that a price component priced, and for
//! whatever else changed the total. All lines together are exactly the published total.

use super::cost::{Account, Amount, Bound, Publisher, Quantity, hours, seconds};
use super::exact::Exact;
use super::priced::PricedPeriod;
use super::running::RunningCost;
use super::select::{ComponentRef, Slot, from_pico};
use super::stated::StatedCharge;
use super::tariffs::Tariffs;
use super::usage::{Ledger, Surplus};
use super::{Cost, Finding, PricingError};
use crate::domain::{CiString, Money, Timestamp};
use rust_decimal::Decimal;

/// What a line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineKind {
    /// FLAT.
    Flat,
    /// ENERGY.
    Energy,
    /// TIME.
    Time,
    /// PARKING_TIME.
    Parking,
    /// TIME of a reservation.
    Reservation,
    /// FLAT of a reservation.
    ReservationFlat,
    /// What `step_size` adds to ENERGY.
    EnergyStep,
    /// What `step_size` adds to TIME.
    TimeStep,
    /// What `step_size` adds to PARKING_TIME.
    ParkingStep,
    /// What `step_size` adds to a reservation's TIME.
    ReservationStep,
    /// What is missing to `min_price`.
    MinPrice,
    /// What is above `max_price`; negative.
    MaxPrice,
    /// From the exact total to the published one.
    Rounding,
}

impl LineKind {
    /// The word by which programs know it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Flat => "FLAT",
            Self::Energy => "ENERGY",
            Self::Time => "TIME",
            Self::Parking => "PARKING_TIME",
            Self::Reservation => "RESERVATION_TIME",
            Self::ReservationFlat => "RESERVATION_FLAT",
            Self::EnergyStep => "ENERGY_STEP_SIZE",
            Self::TimeStep => "TIME_STEP_SIZE",
            Self::ParkingStep => "PARKING_TIME_STEP_SIZE",
            Self::ReservationStep => "RESERVATION_TIME_STEP_SIZE",
            Self::MinPrice => "MIN_PRICE",
            Self::MaxPrice => "MAX_PRICE",
            Self::Rounding => "ROUNDING",
        }
    }
}

/// How much of something, exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Billed {
    /// Once.
    Once,
    /// kWh.
    Kwh(Decimal),
    /// Seconds, to the millisecond.
    Seconds(Decimal),
}

/// The price component of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinePrice {
    /// The tariff's id.
    pub tariff: CiString,
    /// Its place in the list of tariffs.
    pub tariff_index: usize,
    /// The component in it.
    pub component: ComponentRef,
    /// Per kWh, per hour or once, as the tariff states it.
    pub price: Money,
    /// VAT in percent; none means that no VAT applies.
    pub vat: Option<Decimal>,
    /// The price includes the tax.
    pub gross: bool,
    /// The step of the component, in Wh or seconds.
    pub step_size: u32,
}

/// One line of an explanation.
#[derive(Debug, Clone, PartialEq)]
pub struct CostLine {
    /// What for.
    pub kind: LineKind,
    /// The period, by its place in [`Explanation::periods`]; none for what is of the whole charge.
    pub period: Option<usize>,
    /// By which price; none for what follows from the total.
    pub price: Option<LinePrice>,
    /// How much.
    pub quantity: Billed,
    /// Before VAT.
    pub excl_vat: Exact,
    /// After VAT; the same where no VAT applies.
    pub incl_vat: Exact,
}

/// A period of an explanation.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedPeriod {
    /// Its start.
    pub start: Timestamp,
    /// Its end.
    pub end: Timestamp,
    /// Its tariff's id; none means that none is relevant.
    pub tariff: Option<CiString>,
    /// kWh.
    pub energy: Decimal,
    /// Hours charging, with four decimals.
    pub charging: Decimal,
    /// Hours parking, with four decimals.
    pub parking: Decimal,
    /// Hours reserved, with four decimals.
    pub reserved: Decimal,
    /// The energy at its start was interpolated between two measurements, by time.
    pub interpolated: bool,
}

/// A charge's cost with all its lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// ISO 4217; empty for a charge without a tariff.
    pub currency: String,
    /// What is published.
    pub cost: Cost,
    /// The periods.
    pub periods: Vec<ExplainedPeriod>,
    /// The lines: those of the periods in their order, then what is of the whole charge.
    pub lines: Vec<CostLine>,
}

impl RunningCost {
    /// Explains the cost up to the latest progress.
    ///
    /// # Errors
    /// When `tariffs` are not those of the start, or an amount leaves the range of its type.
    pub fn explain(&self, tariffs: &Tariffs) -> Result<Explanation, PricingError> {
        self.check(tariffs)?;
        if !self.is_settled() {
            return self.settled(tariffs)?.explain(tariffs);
        }
        explain(tariffs, &self.ledger, &self.priced(), Vec::new())
    }
}

impl StatedCharge {
    /// Explains the cost of a CDR's charge.
    ///
    /// # Errors
    /// When an amount leaves the range of its type.
    pub fn explain(&self, tariffs: &Tariffs) -> Result<Explanation, PricingError> {
        let (ledger, periods) = self.priced(tariffs)?;
        explain(tariffs, &ledger, &periods, self.warnings(tariffs))
    }
}

fn explain(
    tariffs: &Tariffs,
    ledger: &Ledger,
    priced: &[PricedPeriod],
    warnings: Vec<Finding>,
) -> Result<Explanation, PricingError> {
    let mut lines = Lines { tariffs, list: Vec::new() };
    lines.flats(ledger)?;
    for (at, period) in priced.iter().enumerate() {
        lines.period(at, period)?;
    }
    lines.steps(ledger)?;
    let mut account = Account::default();
    account.fill_with_bounds(ledger, tariffs, |bound| lines.bound(bound))?;
    let mut cost = ledger.cost(tariffs)?;
    cost.warnings.extend(warnings);
    lines.rounding(&account, &cost)?;
    let period = |period: &PricedPeriod| ExplainedPeriod {
        start: period.start,
        end: period.end,
        tariff: period.tariff.and_then(|at| tariffs.get(at)).map(|tariff| tariff.key.id.clone()),
        energy: from_pico(period.energy),
        charging: hours(period.charging),
        parking: hours(period.parking),
        reserved: hours(period.reserved),
        interpolated: period.interpolated,
    };
    Ok(Explanation {
        currency: tariffs.list.first().map(|tariff| tariff.currency.clone()).unwrap_or_default(),
        cost,
        periods: priced.iter().map(period).collect(),
        lines: lines.list,
    })
}

/// Lines while they are gathered.
struct Lines<'a> {
    tariffs: &'a Tariffs,
    list: Vec<CostLine>,
}

impl Lines<'_> {
    fn price_of(&self, slot: Slot) -> Result<LinePrice, PricingError> {
        let tariff = self.tariffs.get(slot.tariff).ok_or(PricingError::Unknown)?;
        let component = self.tariffs.component(slot).ok_or(PricingError::Unknown)?;
        Ok(LinePrice {
            tariff: tariff.key.id.clone(),
            tariff_index: usize::from(slot.tariff),
            component: component.at,
            price: component.price,
            vat: component.vat,
            gross: tariff.gross,
            step_size: component.step,
        })
    }

    fn add(
        &mut self,
        kind: LineKind,
        period: Option<usize>,
        slot: Slot,
        of: Quantity,
    ) -> Result<(), PricingError> {
        let Amount { excl, incl } = self.tariffs.price(slot, of)?.amount;
        let quantity = match of {
            Quantity::Once => Billed::Once,
            Quantity::Energy(parts) => Billed::Kwh(from_pico(parts)),
            Quantity::Time(parts) => Billed::Seconds(seconds(parts)),
        };
        let price = Some(self.price_of(slot)?);
        self.list.push(CostLine { kind, period, price, quantity, excl_vat: excl, incl_vat: incl });
        Ok(())
    }

    fn flats(&mut self, ledger: &Ledger) -> Result<(), PricingError> {
        if let Some(slot) = ledger.reservation_flat {
            self.add(LineKind::ReservationFlat, None, slot, Quantity::Once)?;
        }
        if let Some(slot) = ledger.flat {
            self.add(LineKind::Flat, None, slot, Quantity::Once)?;
        }
        Ok(())
    }

    fn period(&mut self, at: usize, period: &PricedPeriod) -> Result<(), PricingError> {
        let parts = [
            (
                LineKind::Reservation,
                period.reservation_slot,
                Quantity::Time(period.reserved),
                period.reserved,
            ),
            (LineKind::Energy, period.energy_slot, Quantity::Energy(period.energy), period.energy),
            (LineKind::Time, period.time_slot, Quantity::Time(period.charging), period.charging),
            (LineKind::Parking, period.parking_slot, Quantity::Time(period.parking), period.parking),
        ];
        for (kind, slot, quantity, amount) in parts {
            if let Some(slot) = slot
                && amount != 0
            {
                self.add(kind, Some(at), slot, quantity)?;
            }
        }
        Ok(())
    }

    fn steps(&mut self, ledger: &Ledger) -> Result<(), PricingError> {
        let found = ledger.surpluses(self.tariffs)?;
        let energy = found.energy.map(|Surplus { slot, amount }| (slot, Quantity::Energy(amount)));
        let time = |surplus: Option<Surplus>| surplus.map(|s| (s.slot, Quantity::Time(s.amount)));
        for (kind, surplus) in [
            (LineKind::ReservationStep, time(found.reservation)),
            (LineKind::EnergyStep, energy),
            (LineKind::TimeStep, time(found.time)),
            (LineKind::ParkingStep, time(found.parking)),
        ] {
            if let Some((slot, quantity)) = surplus {
                self.add(kind, None, slot, quantity)?;
            }
        }
        Ok(())
    }

    fn bound(&mut self, bound: Bound) {
        let kind = if bound.least { LineKind::MinPrice } else { LineKind::MaxPrice };
        self.adjust(kind, bound.amount);
    }

    fn adjust(&mut self, kind: LineKind, Amount { excl, incl }: Amount) {
        self.list.push(CostLine {
            kind,
            period: None,
            price: None,
            quantity: Billed::Once,
            excl_vat: excl,
            incl_vat: incl,
        });
    }

    fn rounding(&mut self, account: &Account, cost: &Cost) -> Result<(), PricingError> {
        let published = Publisher::of(self.tariffs).price(&account.total)?;
        let off = |amount: Money, exact: Exact| Exact::from_money(amount)?.minus(exact);
        let excl = off(published.excl_vat, cost.exact_excl_vat)?;
        let incl = published.incl_vat.map_or(Ok(excl), |after| off(after, cost.exact_incl_vat))?;
        if !(excl.is_zero() && incl.is_zero()) {
            self.adjust(LineKind::Rounding, Amount { excl, incl });
        }
        Ok(())
    }
}
