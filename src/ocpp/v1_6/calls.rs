//! What the use cases ask of a station, in the words of OCPP 1.6 (chapter 5), and what its answers mean.

use super::{
    ChangeConfiguration, ChangeConfigurationResponse, DataTransfer, DataTransferResponse, FreeText,
    GetConfiguration, GetConfigurationResponse, MessageTrigger, RemoteStartTransaction,
    RemoteStartTransactionResponse, RemoteStopTransaction, RemoteStopTransactionResponse, Reset,
    ResetResponse, ResetType, TriggerMessage, TriggerMessageResponse,
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
    }
}

fn frame<R: Request>(id: &str, request: &R) -> Result<String, String> {
    write_call(id, R::ACTION, request).map_err(|error| format!("{} cannot be sent: {error}", R::ACTION))
}

fn text<const MAX: usize>(name: &str, value: &str) -> Result<Text<MAX>, String> {
    Text::parse(value).map_err(|error| format!("{name}: {error}"))
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
}
