//! What the use cases ask of a station, in the words of OCPP 1.6 (chapter 5), and what its answers mean.

use super::{
    AvailabilityType, ChangeAvailability, ChangeAvailabilityResponse, ChangeConfiguration,
    ChangeConfigurationResponse, ChargingProfile, ClearChargingProfile, ClearChargingProfileResponse,
    DataTransfer, DataTransferResponse, FreeText, GetCompositeSchedule, GetConfiguration,
    GetConfigurationResponse, MessageTrigger, RemoteStartTransaction, RemoteStartTransactionResponse,
    RemoteStopTransaction, RemoteStopTransactionResponse, Reset, ResetResponse, ResetType,
    SetChargingProfile, SetChargingProfileResponse, TriggerMessage, TriggerMessageResponse, profiles,
};
use crate::charging::{StationAnswer, StationCall};
use crate::ocpp::frame::write_call;
use crate::ocpp::wire::{Fault, Message, Request, Text};
use serde_json::value::RawValue;

/// The action that a call becomes.
pub(in crate::ocpp) fn action(call: &StationCall) -> &'static str {
    match call {
        StationCall::RemoteStart { .. } => RemoteStartTransaction::ACTION,
        StationCall::RemoteStop { .. } => RemoteStopTransaction::ACTION,
        StationCall::Reset { .. } => Reset::ACTION,
        StationCall::ChangeConfiguration { .. } => ChangeConfiguration::ACTION,
        StationCall::GetConfiguration { .. } => GetConfiguration::ACTION,
        StationCall::TriggerMessage { .. } => TriggerMessage::ACTION,
        StationCall::DataTransfer { .. } => DataTransfer::ACTION,
        StationCall::ChangeAvailability { .. } => ChangeAvailability::ACTION,
        StationCall::SetChargingProfile { .. } => SetChargingProfile::ACTION,
        StationCall::ClearChargingProfile { .. } => ClearChargingProfile::ACTION,
        StationCall::GetCompositeSchedule { .. } => GetCompositeSchedule::ACTION,
    }
}

/// The frame of a call; the error says what OCPP 1.6 cannot say.
pub(in crate::ocpp) fn write(id: &str, call: &StationCall) -> Result<String, String> {
    match call {
        StationCall::RemoteStart { connector, id_tag } => frame(
            id,
            &RemoteStartTransaction {
                connector_id: *connector,
                id_tag: text("idTag", id_tag)?,
                charging_profile: None,
            },
        ),
        StationCall::RemoteStop { transaction_id } => {
            frame(id, &RemoteStopTransaction { transaction_id: i64::from(*transaction_id) })
        }
        StationCall::Reset { hard } => {
            frame(id, &Reset { kind: if *hard { ResetType::Hard } else { ResetType::Soft } })
        }
        StationCall::ChangeConfiguration { key, value } => {
            frame(id, &ChangeConfiguration { key: text("key", key)?, value: text("value", value)? })
        }
        StationCall::GetConfiguration { keys } => {
            let keys = keys.iter().map(|key| text("key", key)).collect::<Result<Vec<_>, _>>()?;
            frame(id, &GetConfiguration { key: Some(keys).filter(|keys| !keys.is_empty()) })
        }
        StationCall::TriggerMessage { message, connector } => frame(
            id,
            &TriggerMessage {
                requested_message: MessageTrigger::from(message.as_str()),
                connector_id: *connector,
            },
        ),
        StationCall::DataTransfer { vendor_id, message_id, data } => frame(
            id,
            &DataTransfer {
                vendor_id: text("vendorId", vendor_id)?,
                message_id: message_id.as_deref().map(|id| text("messageId", id)).transpose()?,
                data: data.clone().map(FreeText),
            },
        ),
        StationCall::ChangeAvailability { connector, operative } => {
            let kind = if *operative { AvailabilityType::Operative } else { AvailabilityType::Inoperative };
            frame(id, &ChangeAvailability { connector_id: *connector, kind })
        }
        StationCall::SetChargingProfile { connector, profile } => {
            let cs_charging_profiles = ChargingProfile::of(profile)?;
            frame(id, &SetChargingProfile { connector_id: *connector, cs_charging_profiles })
        }
        StationCall::ClearChargingProfile { id: profile, connector, purpose, stack_level } => frame(
            id,
            &ClearChargingProfile {
                id: *profile,
                connector_id: *connector,
                charging_profile_purpose: purpose.map(Into::into),
                stack_level: stack_level.map(|level| whole("stackLevel", level)).transpose()?,
            },
        ),
        StationCall::GetCompositeSchedule { connector, duration_s, unit } => frame(
            id,
            &GetCompositeSchedule {
                connector_id: *connector,
                duration: whole("duration", *duration_s)?,
                charging_rate_unit: unit.map(Into::into),
            },
        ),
    }
}

fn frame<R: Request>(id: &str, request: &R) -> Result<String, String> {
    write_call(id, R::ACTION, request).map_err(|error| format!("{} cannot be sent: {error}", R::ACTION))
}

fn text<const MAX: usize>(name: &str, value: &str) -> Result<Text<MAX>, String> {
    Text::parse(value).map_err(|error| format!("{name}: {error}"))
}

fn whole(name: &str, value: u32) -> Result<i32, String> {
    i32::try_from(value).map_err(|_| format!("{name}: {value} is beyond a 32-bit whole number"))
}

/// What a station's answer means.
pub(in crate::ocpp) fn read_answer(call: &StationCall, payload: &RawValue) -> Result<StationAnswer, Fault> {
    let status = |word: &str| StationAnswer::Status(word.to_owned());
    Ok(match call {
        StationCall::RemoteStart { .. } => {
            let RemoteStartTransactionResponse { status: word } = Message::read(payload)?.message;
            status(word.as_str())
        }
        StationCall::RemoteStop { .. } => {
            let RemoteStopTransactionResponse { status: word } = Message::read(payload)?.message;
            status(word.as_str())
        }
        StationCall::Reset { .. } => {
            let ResetResponse { status: word } = Message::read(payload)?.message;
            status(word.as_str())
        }
        StationCall::ChangeConfiguration { .. } => {
            let ChangeConfigurationResponse { status: word } = Message::read(payload)?.message;
            status(word.as_str())
        }
        StationCall::TriggerMessage { .. } => {
            let TriggerMessageResponse { status: word } = Message::read(payload)?.message;
            status(word.as_str())
        }
        StationCall::GetConfiguration { .. } => {
            let GetConfigurationResponse { configuration_key, unknown_key } = Message::read(payload)?.message;
            StationAnswer::Configuration {
                keys: configuration_key
                    .unwrap_or_default()
                    .into_iter()
                    .map(|known| {
                        (known.key.into_string(), known.value.map(Text::into_string), known.readonly)
                    })
                    .collect(),
                unknown: unknown_key.unwrap_or_default().into_iter().map(Text::into_string).collect(),
            }
        }
        StationCall::DataTransfer { .. } => {
            let DataTransferResponse { status, data } = Message::read(payload)?.message;
            StationAnswer::Data { status: status.as_str().to_owned(), data: data.map(|FreeText(text)| text) }
        }
        StationCall::ChangeAvailability { .. } => {
            let ChangeAvailabilityResponse { status: word } = Message::read(payload)?.message;
            status(word.as_str())
        }
        StationCall::SetChargingProfile { .. } => {
            let SetChargingProfileResponse { status: word } = Message::read(payload)?.message;
            status(word.as_str())
        }
        StationCall::ClearChargingProfile { .. } => {
            let ClearChargingProfileResponse { status: word } = Message::read(payload)?.message;
            status(word.as_str())
        }
        StationCall::GetCompositeSchedule { connector, .. } => profiles::composite(*connector, payload)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_protocol_cannot_say_is_not_sent() {
        let start = StationCall::RemoteStart { connector: Some(1), id_tag: "x".repeat(21) };
        assert!(write("1", &start).unwrap_err().contains("idTag"));
        let start = StationCall::RemoteStart { connector: Some(0), id_tag: "x".to_owned() };
        assert!(write("1", &start).unwrap_err().contains("connectorId"));
        let trigger = StationCall::TriggerMessage { message: "Nonsense".to_owned(), connector: None };
        assert!(write("1", &trigger).unwrap_err().contains("requestedMessage"));
        assert_eq!(
            write("1", &StationCall::GetConfiguration { keys: Vec::new() }).unwrap(),
            r#"[2,"1","GetConfiguration",{}]"#
        );
    }

    #[test]
    fn an_answer_is_read_by_what_was_asked() {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        let call = StationCall::GetConfiguration { keys: vec!["A".to_owned()] };
        let answer =
            raw(r#"{"configurationKey":[{"key":"A","readonly":true,"value":"1"}],"unknownKey":["B"]}"#);
        assert_eq!(
            read_answer(&call, &answer).unwrap(),
            StationAnswer::Configuration {
                keys: vec![("A".to_owned(), Some("1".to_owned()), true)],
                unknown: vec!["B".to_owned()],
            }
        );
        let reset = StationCall::Reset { hard: true };
        assert!(read_answer(&reset, &raw(r#"{"status":"Accepted"}"#)).unwrap().is_accepted());
        assert_eq!(read_answer(&reset, &raw("{}")).unwrap_err().path, "$.status");
    }

    #[test]
    fn a_profile_that_nobody_could_obey_is_not_sent() {
        let mut profile = profiles::tests::profile();
        let send = |profile: &crate::domain::charging_profile::ChargingProfile| {
            write("1", &StationCall::SetChargingProfile { connector: 1, profile: profile.clone() })
        };
        assert!(send(&profile).is_ok());
        profile.stack_level = u32::MAX;
        assert!(send(&profile).unwrap_err().contains("32-bit"));
        profile.stack_level = 0;
        profile.periods.clear();
        assert!(send(&profile).unwrap_err().contains("no periods"));
    }
}
