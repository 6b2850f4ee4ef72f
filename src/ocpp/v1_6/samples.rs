//! What meter values mean: the import register in kWh, the power in kW and the current in A, whatever units, phases, places and
//! contexts the station chose (OCPP 1.6, 7.30 to 7.35, 7.43, 7.45). The energy of a charge comes from these.

use super::meter_values::{
    LARGEST_WH, Location, Measurand, MeterValue, Phase, ReadingContext, SampledValue, Unit, ValueFormat,
    WH_DECIMALS,
};
use crate::domain::station::MeterSample;
use crate::domain::values::Kwh;
use crate::ocpp::wire::{Place, ViolationKind, Violations, parse_decimal};
use rust_decimal::Decimal;

/// What a list of meter values says of energy and power: one sample for each moment and context, in the order
/// in which they came. A value that says nothing (`NaN`, a unit that is no energy) is left out and noted at
/// its place below `place`.
pub fn to_samples(values: &[MeterValue], place: &Place<'_>, violations: &mut Violations) -> Vec<MeterSample> {
    let mut samples = Vec::with_capacity(values.len());
    for (index, value) in values.iter().enumerate() {
        let here = place.index(index);
        let here = here.name("sampledValue");
        let mut contexts: Vec<&ReadingContext> = Vec::with_capacity(1);
        for sampled in &value.sampled_value {
            let context = sampled.context.as_ref().unwrap_or(&ReadingContext::SamplePeriodic);
            if !contexts.contains(&context) {
                contexts.push(context);
            }
        }
        for context in contexts {
            let mut measured = Measured::default();
            for (index, sampled) in value.sampled_value.iter().enumerate() {
                if sampled.context.as_ref().unwrap_or(&ReadingContext::SamplePeriodic) == context {
                    take(sampled, &mut measured, &here.index(index), violations);
                }
            }
            samples.push(MeterSample {
                at: value.timestamp,
                register: measured.register.value().and_then(|wh| to_kwh(wh, &here, violations)),
                current_a: measured.current.value(),
                currents: measured.current.phases(),
                offered_a: measured.offered.largest(),
                power_kw: measured.power.value().and_then(|watts| watts.checked_div(Decimal::ONE_THOUSAND)),
                context: context.as_str().to_owned(),
                signed: signed_in(value, context),
                raw: value.raw.clone(),
            });
        }
    }
    samples
}

/// The signed values of a context (OCPP 1.6, 7.49 ValueFormat), which are the meter's own words.
fn signed_in(value: &MeterValue, context: &ReadingContext) -> Vec<String> {
    let of_context = |sampled: &&SampledValue| {
        sampled.context.as_ref().unwrap_or(&ReadingContext::SamplePeriodic) == context
    };
    let signed = |sampled: &&SampledValue| matches!(sampled.format, Some(ValueFormat::SignedData));
    value
        .sampled_value
        .iter()
        .filter(of_context)
        .filter(signed)
        .map(|sampled| sampled.value.clone())
        .collect()
}

fn to_kwh(wh: Decimal, place: &Place<'_>, violations: &mut Violations) -> Option<Kwh> {
    match Kwh::from_wh(wh.round_dp(WH_DECIMALS)) {
        Ok(kwh) => Some(kwh),
        Err(error) => {
            violations.add(ViolationKind::BadMeasurement, place, error.to_string());
            None
        }
    }
}

/// What is taken from the values of one moment: Wh, W and A.
#[derive(Debug, Default)]
struct Measured {
    register: Quantity,
    power: Quantity,
    current: Quantity,
    offered: Quantity,
}

/// A quantity that comes as a total, or per phase, or both; at the outlet or elsewhere.
#[derive(Debug, Default)]
struct Quantity {
    outlet: Parts,
    elsewhere: Parts,
}

#[derive(Debug, Default)]
struct Parts {
    total: Option<Decimal>,
    phases: [Option<Decimal>; 3],
}

impl Quantity {
    /// The outlet's before any other's, a total before the sum of its phases.
    fn value(&self) -> Option<Decimal> {
        self.outlet.value().or_else(|| self.elsewhere.value())
    }

    /// What was said of each phase, the outlet's before any other's.
    fn phases(&self) -> [Option<Decimal>; 3] {
        let outlet = self.outlet.phases;
        if outlet.iter().any(Option::is_some) { outlet } else { self.elsewhere.phases }
    }

    /// What was said of all phases, or else the most that was said of one: an offer is made per phase.
    fn largest(&self) -> Option<Decimal> {
        let of = |parts: &Parts| parts.total.or_else(|| parts.phases.iter().flatten().copied().max());
        of(&self.outlet).or_else(|| of(&self.elsewhere))
    }
}

impl Parts {
    fn value(&self) -> Option<Decimal> {
        self.total.or_else(|| {
            let sum = |sum: Option<Decimal>, part: Decimal| match sum {
                Some(sum) => sum.checked_add(part),
                None => Some(part),
            };
            self.phases.iter().flatten().copied().fold(None, sum)
        })
    }

    fn put(&mut self, phase: Option<&Phase>, value: Decimal) {
        let slot = match phase {
            None => Some(&mut self.total),
            Some(Phase::L1 | Phase::L1N) => self.phases.get_mut(0),
            Some(Phase::L2 | Phase::L2N) => self.phases.get_mut(1),
            Some(Phase::L3 | Phase::L3N) => self.phases.get_mut(2),
            Some(_) => None,
        };
        if let Some(slot) = slot {
            slot.get_or_insert(value);
        }
    }
}

/// Puts one value where it belongs: Wh into the register, W into the power, A into the current.
fn take(sampled: &SampledValue, measured: &mut Measured, place: &Place<'_>, violations: &mut Violations) {
    if matches!(sampled.format, Some(ValueFormat::SignedData)) {
        return;
    }
    let (quantity, thousandfold) = match (&sampled.measurand, &sampled.unit) {
        (None | Some(Measurand::EnergyActiveImportRegister), None | Some(Unit::WattHours)) => {
            (&mut measured.register, false)
        }
        (None | Some(Measurand::EnergyActiveImportRegister), Some(Unit::KilowattHours)) => {
            (&mut measured.register, true)
        }
        (Some(Measurand::PowerActiveImport), None | Some(Unit::Watts)) => (&mut measured.power, false),
        (Some(Measurand::PowerActiveImport), Some(Unit::Kilowatts)) => (&mut measured.power, true),
        // Without a unit some stations mean amperes here, though the default is Wh (7.43): nothing else can be meant.
        (Some(Measurand::CurrentImport), None | Some(Unit::Amperes)) => (&mut measured.current, false),
        (Some(Measurand::CurrentOffered), None | Some(Unit::Amperes)) => (&mut measured.offered, false),
        (None | Some(Measurand::EnergyActiveImportRegister | Measurand::PowerActiveImport), Some(unit)) => {
            let wanted = format!("energy in Wh or kWh, power in W or kW, not '{unit}'");
            violations.add(ViolationKind::BadMeasurement, &place.name("unit"), wanted);
            return;
        }
        _ => return,
    };
    let factor = if thousandfold { Decimal::ONE_THOUSAND } else { Decimal::ONE };
    let number = parse_decimal(sampled.value.trim())
        .filter(|number| number.abs() <= Decimal::from(LARGEST_WH))
        .and_then(|number| number.checked_mul(factor));
    let Some(number) = number else {
        violations.add(ViolationKind::BadMeasurement, &place.name("value"), "a decimal number within range");
        return;
    };
    match &sampled.location {
        None | Some(Location::Outlet) => quantity.outlet.put(sampled.phase.as_ref(), number),
        // The car's own idea of it is nothing to bill by.
        Some(Location::Ev) => {}
        Some(_) => quantity.elsewhere.put(sampled.phase.as_ref(), number),
    }
}
