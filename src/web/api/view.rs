//! What several objects of the operator API have in common. Amounts of money and energy are texts with a decimal
//! number: a JSON number would lose digits in most programs.

use crate::domain::cdr::{SignedData, SignedValue};
use crate::domain::charging_period::{CdrDimension, ChargingPeriod};
use crate::domain::session::CdrToken;
use crate::domain::tariff::Price;
use crate::domain::{CiString, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// An amount of money without and with VAT, in the currency of the object that holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PriceView {
    /// Without VAT.
    #[schema(example = "7.50", format = "decimal")]
    excl_vat: String,
    /// With VAT; missing where none applies.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "8.93", format = "decimal")]
    incl_vat: Option<String>,
}

impl From<Price> for PriceView {
    fn from(price: Price) -> Self {
        let Price { excl_vat, incl_vat, extra: _ } = price;
        Self { excl_vat: excl_vat.to_string(), incl_vat: incl_vat.map(|amount| amount.to_string()) }
    }
}

/// Who charged, as it was at the start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChargeTokenView {
    /// The eMSP; missing where the partner does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "DE*ABC")]
    party: Option<String>,
    /// What the reader read.
    #[schema(example = "04A2B3C4")]
    uid: String,
    /// Its type.
    #[serde(rename = "type")]
    #[schema(example = "RFID")]
    token_type: String,
    /// The contract.
    #[schema(example = "DE-ABC-C12345678-X")]
    contract_id: String,
}

impl From<CdrToken> for ChargeTokenView {
    fn from(token: CdrToken) -> Self {
        let CdrToken { party, uid, token_type, contract_id, extra: _ } = token;
        Self {
            party: party.map(|party| party.to_string()),
            uid: uid.to_string(),
            token_type: token_type.to_string(),
            contract_id: contract_id.to_string(),
        }
    }
}

/// What was used from its start to the start of the next period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PeriodView {
    /// Its start.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// How much of what.
    dimensions: Vec<DimensionView>,
    /// The tariff by which it is priced.
    #[serde(skip_serializing_if = "Option::is_none")]
    tariff_id: Option<String>,
}

/// How much of a dimension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DimensionView {
    /// Of what: a word of OCPI's `CdrDimensionType`.
    #[serde(rename = "type")]
    #[schema(example = "ENERGY")]
    dimension: String,
    /// How much: kWh, kW, A, hours or percent.
    #[schema(example = "12.345", format = "decimal")]
    volume: String,
}

impl From<ChargingPeriod> for PeriodView {
    fn from(period: ChargingPeriod) -> Self {
        let ChargingPeriod { start_date_time, dimensions, tariff_id, extra: _ } = period;
        let dimension = |CdrDimension { dimension, volume, extra: _ }| DimensionView {
            dimension: dimension.to_string(),
            volume: volume.to_string(),
        };
        Self {
            start: start_date_time,
            dimensions: dimensions.into_iter().map(dimension).collect(),
            tariff_id: tariff_id.map(text),
        }
    }
}

/// Signed meter values, for whoever verifies them against the meter's public key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SignedDataView {
    /// How they are encoded.
    #[schema(example = "OCMF")]
    encoding_method: String,
    /// Version of the encoding.
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding_method_version: Option<i32>,
    /// The meter's public key.
    #[serde(skip_serializing_if = "Option::is_none")]
    public_key: Option<String>,
    /// In the order of time.
    signed_values: Vec<SignedValueView>,
    /// Where a driver can verify them.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

/// A signed meter value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SignedValueView {
    /// Of what: `Start`, `End` or `Intermediate`.
    #[schema(example = "Start")]
    nature: String,
    /// What was signed, readable.
    plain_data: String,
    /// The signed document, byte for byte, in base64 where its owner keeps to OCPI.
    signed_data: String,
}

impl From<SignedData> for SignedDataView {
    fn from(data: SignedData) -> Self {
        let SignedData { encoding_method, encoding_method_version, public_key, signed_values, url, extra: _ } =
            data;
        let value = |SignedValue { nature, plain_data, signed_data, extra: _ }| SignedValueView {
            nature: text(nature),
            plain_data,
            signed_data,
        };
        Self {
            encoding_method: text(encoding_method),
            encoding_method_version,
            public_key,
            signed_values: signed_values.into_iter().map(value).collect(),
            url,
        }
    }
}

/// The text of a CiString.
#[must_use]
pub fn text(value: CiString) -> String {
    value.as_str().to_owned()
}
