//! BootNotification: a station tells what it is and asks to be let in (OCPP 1.6, 4.2, 6.3, 6.4).

use crate::domain::station::BootInfo;
use crate::domain::values::Timestamp;
use crate::ocpp::wire::{Request, Text, message, words};

message! {
    /// 6.3 BootNotification.req
    pub struct BootNotification {
        /// Vendor.
        charge_point_vendor: Text<20> = "chargePointVendor",
        /// Model.
        charge_point_model: Text<20> = "chargePointModel",
        /// Serial number of the station.
        charge_point_serial_number: Option<Text<25>> = "chargePointSerialNumber",
        /// Serial number of the box inside; deprecated, and still what many stations send.
        charge_box_serial_number: Option<Text<25>> = "chargeBoxSerialNumber",
        /// Firmware.
        firmware_version: Option<Text<50>> = "firmwareVersion",
        /// Of the modem's SIM card.
        iccid: Option<Text<20>> = "iccid",
        /// Of the modem's SIM card.
        imsi: Option<Text<20>> = "imsi",
        /// Type of the main meter.
        meter_type: Option<Text<25>> = "meterType",
        /// Serial number of the main meter.
        meter_serial_number: Option<Text<25>> = "meterSerialNumber",
    }
}

impl BootNotification {
    /// One with vendor and model, cut to what may be sent.
    #[must_use]
    pub fn new(vendor: &str, model: &str) -> Self {
        Self {
            charge_point_vendor: Text::cut(vendor),
            charge_point_model: Text::cut(model),
            charge_point_serial_number: None,
            charge_box_serial_number: None,
            firmware_version: None,
            iccid: None,
            imsi: None,
            meter_type: None,
            meter_serial_number: None,
        }
    }

    /// What is kept of it.
    #[must_use]
    pub fn to_boot_info(&self) -> BootInfo {
        let Self {
            charge_point_vendor,
            charge_point_model,
            charge_point_serial_number,
            charge_box_serial_number,
            firmware_version,
            iccid: _,
            imsi: _,
            meter_type: _,
            meter_serial_number: _,
        } = self;
        let serial = charge_point_serial_number.as_ref().or(charge_box_serial_number.as_ref());
        BootInfo {
            vendor: charge_point_vendor.as_str().to_owned(),
            model: charge_point_model.as_str().to_owned(),
            serial_number: serial.map(|text| text.as_str().to_owned()),
            firmware_version: firmware_version.as_ref().map(|text| text.as_str().to_owned()),
        }
    }
}

words! {
    /// 7.38 RegistrationStatus
    pub enum RegistrationStatus {
        /// Let in.
        Accepted = "Accepted",
        /// Not yet: we want to see or set something first.
        Pending = "Pending",
        /// Not let in; it may ask again after the interval.
        Rejected = "Rejected",
    }
}

message! {
    /// 6.4 BootNotification.conf
    pub struct BootNotificationResponse {
        /// Whether it is let in.
        status: RegistrationStatus = "status",
        /// By our clock, for the station to set its own.
        current_time: Timestamp = "currentTime",
        /// Accepted: seconds between heartbeats; else seconds until it may ask again. 0 leaves it to the
        /// station.
        interval: i32 = "interval" in 0..,
    }
}

impl Request for BootNotification {
    const ACTION: &'static str = "BootNotification";
    type Response = BootNotificationResponse;
}
