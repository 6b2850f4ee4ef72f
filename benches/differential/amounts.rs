//! What an engine says a session costs, in amounts that can be compared.

use rust_decimal::{Decimal, RoundingStrategy};

/// Before and after VAT.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    pub(crate) net: Decimal,
    /// The same as before VAT where no VAT applies; none where the engine does not know it.
    pub(crate) gross: Option<Decimal>,
}

/// What was used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Volumes {
    /// kWh.
    pub(crate) energy: Decimal,
    /// Hours, charging and not.
    pub(crate) time: Decimal,
    /// Hours not charging.
    pub(crate) parking: Decimal,
}

/// All amounts of a CDR.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) total: Amount,
    pub(crate) fixed: Amount,
    pub(crate) energy: Amount,
    pub(crate) time: Amount,
    pub(crate) parking: Amount,
    /// None where the engine does not tell it.
    pub(crate) reservation: Option<Amount>,
    pub(crate) volumes: Volumes,
}

/// Decimals to which both engines publish here.
pub(crate) const DECIMALS: u32 = 4;

fn round(value: Decimal) -> Decimal {
    value.round_dp_with_strategy(DECIMALS, RoundingStrategy::MidpointNearestEven).normalize()
}

impl Amount {
    /// To the decimals that are compared; from the middle to the even one, as the other engine prints.
    pub(crate) fn rounded(self) -> Self {
        Self { net: round(self.net), gross: self.gross.map(round) }
    }
}

/// One amount in which two results differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) field: &'static str,
    pub(crate) ours: Option<Decimal>,
    pub(crate) theirs: Option<Decimal>,
}

impl Totals {
    /// To the decimals that are compared.
    pub(crate) fn rounded(self) -> Self {
        Self {
            total: self.total.rounded(),
            fixed: self.fixed.rounded(),
            energy: self.energy.rounded(),
            time: self.time.rounded(),
            parking: self.parking.rounded(),
            reservation: self.reservation.map(Amount::rounded),
            volumes: Volumes {
                energy: round(self.volumes.energy),
                time: round(self.volumes.time),
                parking: round(self.volumes.parking),
            },
        }
    }

    /// The same without what OCPI 2.1.1 has not: amounts after VAT.
    pub(crate) fn without_gross(self) -> Self {
        let net = |amount: Amount| Amount { net: amount.net, gross: None };
        Self {
            total: net(self.total),
            fixed: net(self.fixed),
            energy: net(self.energy),
            time: net(self.time),
            parking: net(self.parking),
            reservation: self.reservation.map(net),
            volumes: self.volumes,
        }
    }

    /// Where they differ by more than one in the last decimal, in which alone the engines may round apart.
    pub(crate) fn differences(&self, theirs: &Self) -> Vec<Difference> {
        self.fields().into_iter().zip(theirs.fields()).filter_map(differ).collect()
    }

    fn fields(&self) -> [Field; 15] {
        let reservation = self.reservation;
        [
            ("total_cost.excl_vat", Some(self.total.net)),
            ("total_cost.incl_vat", self.total.gross),
            ("total_fixed_cost.excl_vat", Some(self.fixed.net)),
            ("total_fixed_cost.incl_vat", self.fixed.gross),
            ("total_energy_cost.excl_vat", Some(self.energy.net)),
            ("total_energy_cost.incl_vat", self.energy.gross),
            ("total_time_cost.excl_vat", Some(self.time.net)),
            ("total_time_cost.incl_vat", self.time.gross),
            ("total_parking_cost.excl_vat", Some(self.parking.net)),
            ("total_parking_cost.incl_vat", self.parking.gross),
            ("total_reservation_cost.excl_vat", reservation.map(|amount| amount.net)),
            ("total_reservation_cost.incl_vat", reservation.and_then(|amount| amount.gross)),
            ("total_energy", Some(self.volumes.energy)),
            ("total_time", Some(self.volumes.time)),
            ("total_parking_time", Some(self.volumes.parking)),
        ]
    }
}

type Field = (&'static str, Option<Decimal>);

fn differ(((field, ours), (_, theirs)): (Field, Field)) -> Option<Difference> {
    // The duration is a sum of two that are rounded.
    let last = Decimal::new(if field == "total_time" { 2 } else { 1 }, DECIMALS);
    let same = match (ours, theirs) {
        (Some(one), Some(other)) => one.saturating_sub(other).abs() <= last,
        // What an engine does not tell is nothing where it does not charge for it.
        (Some(only), None) | (None, Some(only)) => only.is_zero(),
        (None, None) => true,
    };
    (!same).then_some(Difference { field, ours, theirs })
}
