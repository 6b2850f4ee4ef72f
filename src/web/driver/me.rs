//! A driver's own account.

use super::auth::Driver;
use crate::app::App;
use crate::driver::erase::{EraseError, erase};
use crate::web::api::input::{Nothing, Strict};
use crate::web::problem::Problem;
use actix_web::{HttpResponse, web};

impl From<EraseError> for Problem {
    fn from(error: EraseError) -> Self {
        match error {
            EraseError::Db(error) => error.into(),
            EraseError::Missing(_) => Self::not_found(error.to_string()),
            EraseError::Charging { .. } | EraseError::Starting(_) | EraseError::Reserved(_) => {
                Self::conflict(error.to_string())
            }
        }
    }
}

/// Deletes the driver
///
/// What the app calls the driver, all tokens of this API, the orders, and the token that was made for the app are gone
/// at once; cards stay with their eMSP and are the driver's no more. What accounts rest on, the charges and their CDRs,
/// stays without a link to the driver. Somebody whom the app exchanges under the same id later is a new driver.
///
/// # Errors
/// 409 while a charge, a start or a reservation of the driver goes on.
#[utoipa::path(
    delete, path = "/driver/v1/me", tag = "access",
    responses((status = 204, description = "The driver is deleted"))
)]
pub async fn delete(
    Driver(held): Driver,
    app: web::Data<App>,
    _query: Strict<Nothing>,
) -> Result<HttpResponse, Problem> {
    erase(&app, &held.driver_id, "the driver").await?;
    Ok(HttpResponse::NoContent().finish())
}
