//! What paths name: an object of a CPO.

use crate::domain::CiString;
use crate::domain::party::PartyId;
use crate::web::api::input::from_path;
use crate::web::problem::Problem;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use serde::Deserialize;
use std::fmt;
use std::future::{Ready, ready};
use utoipa::IntoParams;

/// A location or a session by its CPO and its id, from the parts `{party}` and `{id}` of a path.
#[derive(Debug, Clone, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct OfCpo {
    /// The CPO.
    #[param(value_type = String, example = "DE*ABC")]
    pub party: PartyId,
    /// Its id, which is unique within the CPO.
    #[param(value_type = String)]
    pub id: CiString,
}

impl fmt::Display for OfCpo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.id, self.party)
    }
}

#[derive(Deserialize)]
struct Written {
    party: String,
    id: String,
}

impl FromRequest for OfCpo {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let written = web::Path::<Written>::from_request(request, payload).into_inner();
        let written = written.map_err(|error| Problem::bad("path", "$", error.to_string()));
        ready(written.and_then(|path| {
            let Written { party, id } = path.into_inner();
            Ok(Self { party: from_path("party", &party)?, id: id.into() })
        }))
    }
}
