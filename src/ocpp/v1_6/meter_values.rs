//! MeterValues, and what they mean (OCPP 1.6, 4.7, 6.31, 6.32, 7.30 to 7.35, 7.43, 7.45, 7.49).
//!
//! [`to_samples`] turns a list of meter values into the domain's samples: the import register in kWh and the
//! power in kW, whatever units, phases and contexts the station chose. Signed values are not interpreted; they
//! go with the sample, byte for byte.

pub use super::samples::to_samples;

use crate::domain::values::{Kwh, Timestamp};
use crate::ocpp::wire::{
    Fault, Field, Message, Object, Place, Request, ViolationKind, Violations, message, words,
};
use rust_decimal::Decimal;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// Decimals of a watt-hour that are kept; finer ones are the noise of a station's floating point.
pub(super) const WH_DECIMALS: u32 = 9;

/// The largest register that is believed, in Wh: the domain's largest energy.
pub(super) const LARGEST_WH: i64 = 1_000_000_000_000;

message! {
    /// 6.31 MeterValues.req
    pub struct MeterValues {
        /// Where; 0 is the main meter.
        connector_id: i32 = "connectorId" in 0..,
        /// During which charge.
        transaction_id: Option<i64> = "transactionId",
        /// What was measured.
        meter_value: Vec<MeterValue> = "meterValue",
    }
}

message! {
    /// 6.32 MeterValues.conf
    pub struct MeterValuesResponse {}
}

impl Request for MeterValues {
    const ACTION: &'static str = "MeterValues";
    type Response = MeterValuesResponse;
}

/// 7.33 MeterValue: what was measured at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct MeterValue {
    /// When, by the station's clock.
    pub timestamp: Timestamp,
    /// What.
    pub sampled_value: Vec<SampledValue>,
    /// The whole as it came, byte for byte; empty when it did not come but is made to be sent.
    pub raw: String,
}

message! {
    /// 7.43 SampledValue
    pub struct SampledValue {
        /// A decimal number, or signed data.
        value: String = "value",
        /// Why it was taken; none means `Sample.Periodic`.
        context: Option<ReadingContext> = "context",
        /// Number or signed data; none means a number.
        format: Option<ValueFormat> = "format",
        /// What was measured; none means the import register.
        measurand: Option<Measurand> = "measurand",
        /// On which phase; none means all together.
        phase: Option<Phase> = "phase",
        /// Where; none means the outlet.
        location: Option<Location> = "location",
        /// In what; none means `Wh` for energy.
        unit: Option<Unit> = "unit",
    }
}

impl SampledValue {
    /// A number without anything else, which means the import register in Wh.
    #[must_use]
    pub fn bare(value: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            context: None,
            format: None,
            measurand: None,
            phase: None,
            location: None,
            unit: None,
        }
    }

    /// A number of a kind.
    #[must_use]
    pub fn of(value: impl Into<String>, measurand: Measurand, unit: Unit, context: ReadingContext) -> Self {
        let bare = Self::bare(value);
        Self { measurand: Some(measurand), unit: Some(unit), context: Some(context), ..bare }
    }
}

words! {
    /// 7.35 ReadingContext
    pub enum ReadingContext {
        /// An interruption begins.
        InterruptionBegin = "Interruption.Begin",
        /// An interruption ends.
        InterruptionEnd = "Interruption.End",
        /// None of these words.
        Unnamed = "Other",
        /// On the hour and the like.
        SampleClock = "Sample.Clock",
        /// In the interval.
        SamplePeriodic = "Sample.Periodic",
        /// The charge begins.
        TransactionBegin = "Transaction.Begin",
        /// The charge ends.
        TransactionEnd = "Transaction.End",
        /// By TriggerMessage.
        Trigger = "Trigger",
    }
}

words! {
    /// 7.49 ValueFormat
    pub enum ValueFormat {
        /// A number.
        Raw = "Raw",
        /// Signed by the meter.
        SignedData = "SignedData",
    }
}

words! {
    /// 7.34 Phase
    pub enum Phase {
        /// Phase 1.
        L1 = "L1",
        /// Phase 2.
        L2 = "L2",
        /// Phase 3.
        L3 = "L3",
        /// Neutral.
        N = "N",
        /// Phase 1 to neutral.
        L1N = "L1-N",
        /// Phase 2 to neutral.
        L2N = "L2-N",
        /// Phase 3 to neutral.
        L3N = "L3-N",
        /// Phase 1 to 2.
        L1L2 = "L1-L2",
        /// Phase 2 to 3.
        L2L3 = "L2-L3",
        /// Phase 3 to 1.
        L3L1 = "L3-L1",
    }
}

words! {
    /// 7.30 Location
    pub enum Location {
        /// Inside the station.
        Body = "Body",
        /// At the cable.
        Cable = "Cable",
        /// In the car.
        Ev = "EV",
        /// Where the station is fed.
        Inlet = "Inlet",
        /// Where the car is fed.
        Outlet = "Outlet",
    }
}

words! {
    /// 7.31 Measurand
    pub enum Measurand {
        /// A, from the car.
        CurrentExport = "Current.Export",
        /// A, to the car.
        CurrentImport = "Current.Import",
        /// A, the most that is offered.
        CurrentOffered = "Current.Offered",
        /// Register, from the car.
        EnergyActiveExportRegister = "Energy.Active.Export.Register",
        /// Register, to the car.
        EnergyActiveImportRegister = "Energy.Active.Import.Register",
        /// Reactive register, from the car.
        EnergyReactiveExportRegister = "Energy.Reactive.Export.Register",
        /// Reactive register, to the car.
        EnergyReactiveImportRegister = "Energy.Reactive.Import.Register",
        /// In the interval, from the car.
        EnergyActiveExportInterval = "Energy.Active.Export.Interval",
        /// In the interval, to the car.
        EnergyActiveImportInterval = "Energy.Active.Import.Interval",
        /// Reactive, in the interval, from the car.
        EnergyReactiveExportInterval = "Energy.Reactive.Export.Interval",
        /// Reactive, in the interval, to the car.
        EnergyReactiveImportInterval = "Energy.Reactive.Import.Interval",
        /// Hz.
        Frequency = "Frequency",
        /// From the car.
        PowerActiveExport = "Power.Active.Export",
        /// To the car.
        PowerActiveImport = "Power.Active.Import",
        /// Cosine of the angle.
        PowerFactor = "Power.Factor",
        /// The most that is offered.
        PowerOffered = "Power.Offered",
        /// Reactive, from the car.
        PowerReactiveExport = "Power.Reactive.Export",
        /// Reactive, to the car.
        PowerReactiveImport = "Power.Reactive.Import",
        /// Of a fan.
        Rpm = "RPM",
        /// Of the battery, percent.
        StateOfCharge = "SoC",
        /// Inside the station.
        Temperature = "Temperature",
        /// V.
        Voltage = "Voltage",
    }
}

words! {
    /// 7.45 UnitOfMeasure, with both spellings of Celsius (OCPP-J 1.6 errata 2.1)
    pub enum Unit {
        /// Wh
        WattHours = "Wh",
        /// kWh
        KilowattHours = "kWh",
        /// varh
        VarHours = "varh",
        /// kvarh
        KilovarHours = "kvarh",
        /// W
        Watts = "W",
        /// kW
        Kilowatts = "kW",
        /// VA
        VoltAmperes = "VA",
        /// kVA
        KilovoltAmperes = "kVA",
        /// var
        Vars = "var",
        /// kvar
        Kilovars = "kvar",
        /// A
        Amperes = "A",
        /// V
        Volts = "V",
        /// K
        Kelvin = "K",
        /// °C, as the schema first spelled it
        Celcius = "Celcius",
        /// °C
        Celsius = "Celsius",
        /// °F
        Fahrenheit = "Fahrenheit",
        /// %
        Percent = "Percent",
    }
}

impl Field for MeterValue {
    fn read(raw: &RawValue, place: &Place<'_>, violations: &mut Violations) -> Result<Self, Fault> {
        let mut object = Object::parse(raw, place)?;
        let mut value = Self::read_from(&mut object, place, violations)?;
        object.note_extra(place, violations);
        raw.get().clone_into(&mut value.raw);
        Ok(value)
    }
}

impl Message for MeterValue {
    fn read_from(
        object: &mut Object<'_>,
        place: &Place<'_>,
        violations: &mut Violations,
    ) -> Result<Self, Fault> {
        let timestamp = object.field("timestamp", place, violations)?;
        let sampled_value: Vec<SampledValue> = object.field("sampledValue", place, violations)?;
        if sampled_value.is_empty() {
            violations.add(ViolationKind::EmptyList, &place.name("sampledValue"), "at least one value");
        }
        Ok(Self { timestamp, sampled_value, raw: String::new() })
    }
}

impl Serialize for MeterValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Sent<'a> {
            timestamp: Timestamp,
            sampled_value: &'a [SampledValue],
        }
        let Self { timestamp, sampled_value, raw: _ } = self;
        Sent { timestamp: *timestamp, sampled_value }.serialize(serializer)
    }
}

/// A register in Wh. The specification wants whole numbers, and so they are sent; decimals are taken as they
/// come, exact to a thousand-millionth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct WattHours(Decimal);

impl WattHours {
    /// A whole number of Wh.
    #[must_use]
    pub fn new(wh: i32) -> Self {
        Self(Decimal::from(wh))
    }

    /// The number of Wh.
    #[must_use]
    pub fn decimal(self) -> Decimal {
        self.0
    }

    /// In kWh. It is within the range of energies, since it was read with a bound.
    #[must_use]
    pub fn to_kwh(self) -> Kwh {
        Kwh::from_wh(self.0).unwrap_or_default()
    }
}

impl Serialize for WattHours {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        rust_decimal::serde::arbitrary_precision::serialize(&self.0.normalize(), serializer)
    }
}

impl Field for WattHours {
    fn read(raw: &RawValue, place: &Place<'_>, violations: &mut Violations) -> Result<Self, Fault> {
        let number = Decimal::read(raw, place, violations)?;
        if number.abs() > Decimal::from(LARGEST_WH) {
            return Err(Fault::property(place, format!("{number} Wh is more than any meter counts")));
        }
        if !number.fract().is_zero() {
            violations.add(ViolationKind::NumberForm, place, "a whole number of Wh");
        }
        Ok(Self(number.round_dp(WH_DECIMALS)))
    }
    fn check(&self) -> Result<(), String> {
        if self.0.fract().is_zero() { Ok(()) } else { Err(format!("{} is not a whole number of Wh", self.0)) }
    }
}
