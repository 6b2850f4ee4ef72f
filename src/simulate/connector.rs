//! One connector of a simulated station: cable, token, charge and meter.

use super::car::{Car, MJ_PER_WH, PowerCurve};
use super::keys::Keys;
use crate::domain::Timestamp;
use crate::domain::station::ConnectorStatus;
use crate::ocpp::v1_6::{IdTag, Measurand, MeterValue, Phase, ReadingContext, SampledValue, Unit};

/// A charge as the station knows it: before the server has answered, it has no id.
#[derive(Debug, Clone)]
pub(super) struct Transaction {
    /// The station's own number for it.
    pub local: u64,
    pub id_tag: IdTag,
    pub began: Timestamp,
    /// Register at its start, mJ.
    pub meter_start: u64,
    pub next_sample: Timestamp,
}

/// A connector.
#[derive(Debug)]
pub(super) struct Connector {
    pub number: i32,
    pub curve: PowerCurve,
    pub status: ConnectorStatus,
    /// What the server has last been told.
    pub reported: Option<ConnectorStatus>,
    /// The car, when the cable is in.
    pub car: Option<Car>,
    /// An accepted token that waits for a cable.
    pub token: Option<IdTag>,
    pub transaction: Option<Transaction>,
    /// The meter, mJ; it never runs back.
    pub register: u64,
    /// Up to when energy has been counted.
    pub counted_to: Timestamp,
    /// When a waiting driver plugs in.
    pub plug_at: Option<Timestamp>,
    /// When a driver takes the cable out after the charge.
    pub unplug_at: Option<Timestamp>,
    /// When an accepted token or a cable without a token is given up.
    pub give_up_at: Option<Timestamp>,
}

impl Connector {
    pub(super) fn new(number: i32, curve: PowerCurve, register_wh: u32, at: Timestamp) -> Self {
        Self {
            number,
            curve,
            status: ConnectorStatus::Available,
            reported: None,
            car: None,
            token: None,
            transaction: None,
            register: u64::from(register_wh) * MJ_PER_WH,
            counted_to: at,
            plug_at: None,
            unplug_at: None,
            give_up_at: None,
        }
    }

    /// The register in whole Wh.
    pub(super) fn register_wh(&self) -> i32 {
        i32::try_from(self.register / MJ_PER_WH).unwrap_or(i32::MAX)
    }

    /// Energy of the running charge in Wh.
    pub(super) fn energy_wh(&self) -> u64 {
        self.transaction.as_ref().map_or(0, |tx| (self.register - tx.meter_start) / MJ_PER_WH)
    }

    /// The power that flows, W.
    pub(super) fn watts(&self) -> u64 {
        match (&self.transaction, &self.car) {
            (Some(_), Some(car)) => car.watts(self.curve),
            _ => 0,
        }
    }

    /// Lets energy flow up to a time; returns whether the car has become full.
    pub(super) fn count_to(&mut self, now: Timestamp) -> bool {
        let millis = u64::try_from(now.millis_since(self.counted_to)).unwrap_or(0);
        self.counted_to = self.counted_to.max(now);
        let (Some(_), Some(car)) = (&self.transaction, &mut self.car) else { return false };
        let was_full = car.is_full();
        self.register += car.charge_for(millis, self.curve);
        !was_full && car.is_full()
    }

    /// What it is doing, from what is there.
    pub(super) fn proper_status(&self) -> ConnectorStatus {
        match (&self.transaction, &self.car) {
            (Some(_), Some(car)) if car.is_full() => ConnectorStatus::SuspendedEv,
            (Some(_), _) => ConnectorStatus::Charging,
            (None, None) if self.token.is_none() => ConnectorStatus::Available,
            // A car that stays after its charge is finishing until it leaves.
            (None, Some(_)) if matches!(self.status, ConnectorStatus::Finishing) && self.token.is_none() => {
                ConnectorStatus::Finishing
            }
            _ => ConnectorStatus::Preparing,
        }
    }

    /// What the meter shows now, of what the configuration lists.
    pub(super) fn meter_value(
        &self,
        at: Timestamp,
        context: &ReadingContext,
        keys: &Keys,
        key: &str,
    ) -> MeterValue {
        let mut sampled_value = Vec::with_capacity(8);
        let watts = self.watts();
        let permille = self.car.as_ref().map_or(0, Car::permille);
        let (volts, deciamperes) = self.curve.volts_and_deciamperes(watts, permille);
        let of = |value: String, measurand, unit| SampledValue::of(value, measurand, unit, context.clone());
        let wants = |word| keys.lists(key, word);
        if wants("Energy.Active.Import.Register") {
            let wh = self.register_wh().to_string();
            sampled_value.push(of(wh, Measurand::EnergyActiveImportRegister, Unit::WattHours));
        }
        if wants("Power.Active.Import") {
            sampled_value.push(of(watts.to_string(), Measurand::PowerActiveImport, Unit::Watts));
        }
        let amperes = format!("{}.{}", deciamperes / 10, deciamperes % 10);
        let phases = [Phase::L1, Phase::L2, Phase::L3];
        let used = usize::from(self.curve.phases());
        if wants("Current.Import") {
            if self.curve.is_dc() {
                sampled_value.push(of(amperes, Measurand::CurrentImport, Unit::Amperes));
            } else {
                for phase in phases.iter().take(used) {
                    let value = of(amperes.clone(), Measurand::CurrentImport, Unit::Amperes);
                    sampled_value.push(SampledValue { phase: Some(phase.clone()), ..value });
                }
            }
        }
        if wants("Voltage") {
            let value = of(volts.to_string(), Measurand::Voltage, Unit::Volts);
            let phase = (!self.curve.is_dc()).then_some(Phase::L1N);
            sampled_value.push(SampledValue { phase, ..value });
        }
        if wants("SoC") && self.curve.is_dc() {
            sampled_value.push(of((permille / 10).to_string(), Measurand::StateOfCharge, Unit::Percent));
        }
        if sampled_value.is_empty() {
            // An empty list is not allowed; the register says least.
            sampled_value.push(SampledValue::bare(self.register_wh().to_string()));
        }
        MeterValue { timestamp: at, sampled_value, raw: String::new() }
    }
}
