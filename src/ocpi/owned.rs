//! What the receiver sides of the modules share: the URL names an object, and the body has to be that object.

use super::answer::invalid;
use super::auth::Refusal;
use crate::app::App;
use crate::domain::CiString;
use crate::domain::party::PartyId;
use crate::roaming::receive::ReceiveError;

/// Holds an id of the body against the one in the URL (OCPI 2.2.1 transport_and_format, "Errors": 2001 when
/// they differ).
///
/// # Errors
/// When they differ.
pub fn same_id(app: &App, path: &str, in_body: &CiString, in_url: &CiString) -> Result<(), Refusal> {
    if in_body == in_url {
        return Ok(());
    }
    Err(invalid(app, path, &format!("is '{in_body}', but the URL says '{in_url}'")))
}

/// Holds the owner in the body against the one in the URL.
///
/// # Errors
/// When they differ.
pub fn same_owner(app: &App, in_body: &PartyId, in_url: &PartyId) -> Result<(), Refusal> {
    let (path, body, url) = if in_body.country_code() != in_url.country_code() {
        ("$.country_code", in_body.country_code(), in_url.country_code())
    } else if in_body.party_id() != in_url.party_id() {
        ("$.party_id", in_body.party_id(), in_url.party_id())
    } else {
        return Ok(());
    };
    Err(invalid(app, path, &format!("is '{body}', but the URL says '{url}'")))
}

/// Holds what a PATCH made of an object against what the object was: a PATCH cannot make another of it.
///
/// # Errors
/// When the field differs.
pub fn unchanged<T: PartialEq + std::fmt::Display>(
    path: &str,
    before: &T,
    after: &T,
) -> Result<(), ReceiveError> {
    if before == after {
        return Ok(());
    }
    let reason = format!("is '{after}', but the URL says '{before}'");
    Err(ReceiveError::Invalid { path: path.to_owned(), reason })
}
