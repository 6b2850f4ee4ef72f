//! One connector of a simulated station: cable, token, charge and meter.

use super::car::{Car, MJ_PER_WH, PowerCurve};
use super::clock::plus;
use super::keys::Keys;
use super::smart::{InForce, Level, VOLTS};
use crate::domain::Timestamp;
use crate::domain::charging_profile::ChargingProfile;
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
    /// Nothing has been offered to it yet.
    pub begins: bool,
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
    /// What it offers a car.
    pub offer: Level,
    /// When the car follows that.
    pub follow_at: Option<Timestamp>,
    /// What the profiles say, also where the station does not listen.
    pub limits: InForce,
    /// A profile that came with a remote start, and for whom.
    pub ordered: Option<(IdTag, ChargingProfile)>,
    /// Whether it is in service; a charge that is on goes on.
    pub operative: bool,
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
            offer: Level::ANY,
            follow_at: None,
            limits: InForce::default(),
            ordered: None,
            operative: true,
        }
    }

    /// The most that it can offer.
    pub(super) fn rating(&self) -> Level {
        match self.curve {
            PowerCurve::Ac { watts, phases } => Level::of_watts(u64::from(watts), phases),
            PowerCurve::Dc { watts } => Level::of_watts(u64::from(watts), 3),
        }
    }

    /// What the car acts on, while a charge is on.
    pub(super) fn felt(&self) -> Level {
        match (&self.transaction, &self.car) {
            (Some(_), Some(car)) => car.felt(),
            _ => Level::NONE,
        }
    }

    /// Offers another level; a car that charges follows it a little later, one that only begins at once.
    pub(super) fn put_offer(&mut self, level: Level, at: Timestamp) {
        self.offer = level;
        match (&mut self.transaction, &mut self.car) {
            (Some(transaction), Some(car)) => {
                let begins = transaction.begins && level.each > 0;
                transaction.begins &= !begins;
                if begins {
                    car.feel(level, at, self.curve);
                }
                let behind = car.felt() != level;
                let due = plus(at, car.config().reaction);
                self.follow_at = if behind { self.follow_at.or(Some(due)) } else { None };
            }
            _ => self.follow_at = None,
        }
    }

    /// Lets the car follow what is offered, if it is time.
    pub(super) fn follow(&mut self, at: Timestamp) {
        if self.follow_at.is_some_and(|due| due <= at) {
            self.follow_at = None;
            if let Some(car) = &mut self.car {
                car.feel(self.offer, at, self.curve);
            }
        }
    }

    /// What flows on each of the connector's phases, in thousandths of an ampere, rounded up. Direct current
    /// loads all three.
    pub(super) fn milliamperes(&self) -> [u64; 3] {
        let Some(car) = &self.car else { return [0; 3] };
        let phases = car.phases_on(self.curve);
        let each = (self.watts() * 1000).div_ceil(VOLTS * u64::from(phases));
        [1, 2, 3].map(|phase| if phase <= phases { each } else { 0 })
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
            (Some(_), Some(_)) if self.offer.each == 0 => ConnectorStatus::SuspendedEvse,
            (Some(_), Some(car)) if car.is_asleep() || !car.can_take(self.offer, self.curve) => {
                ConnectorStatus::SuspendedEv
            }
            (Some(_), _) => ConnectorStatus::Charging,
            (None, _) if !self.operative => ConnectorStatus::Unavailable,
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
        let tenths = |deciamperes: u64| format!("{}.{}", deciamperes / 10, deciamperes % 10);
        let phases = [Phase::L1, Phase::L2, Phase::L3];
        let used = usize::from(self.curve.phases());
        if wants("Current.Import") {
            if self.curve.is_dc() {
                sampled_value.push(of(tenths(deciamperes), Measurand::CurrentImport, Unit::Amperes));
            } else {
                for (phase, flows) in phases.iter().zip(self.milliamperes()).take(used) {
                    let value = of(tenths(flows / 100), Measurand::CurrentImport, Unit::Amperes);
                    sampled_value.push(SampledValue { phase: Some(phase.clone()), ..value });
                }
            }
        }
        if wants("Current.Offered") && !self.curve.is_dc() {
            let offered = tenths(self.offer.deciamperes().min(self.rating().deciamperes()));
            sampled_value.push(of(offered, Measurand::CurrentOffered, Unit::Amperes));
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
