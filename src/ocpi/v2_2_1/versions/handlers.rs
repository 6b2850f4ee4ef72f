//! Which versions this node speaks, and where its modules are (OCPI 2.2.1 version_information_endpoint).

use super::wire::{Version, VersionDetails};
use crate::app::App;
use crate::db::{DbError, parties};
use crate::domain::Extra;
use crate::domain::partner::{Endpoint, InterfaceRole, ModuleId};
use crate::domain::party::{Party, Role};
use crate::ocpi::auth::{CredentialsContext, Refusal};
use crate::ocpi::envelope::Envelope;
use actix_web::{HttpResponse, web};

/// The version that these routes are of.
pub const VERSION: &str = "2.2.1";

/// Where our versions are, at that public URL.
#[must_use]
pub fn versions_url(public_url: &str) -> String {
    format!("{public_url}/ocpi/versions")
}

/// The base of everything of this version, at that public URL.
fn base(public_url: &str) -> String {
    format!("{public_url}/ocpi/{VERSION}")
}

/// Our endpoints: those of each role that one of our parties plays.
#[must_use]
pub fn our_endpoints(public_url: &str, parties: &[Party]) -> Vec<Endpoint> {
    use InterfaceRole::{Receiver, Sender};
    let base = base(public_url);
    let plays = |role: Role| parties.iter().any(|party| party.has_role(&role));
    let endpoint = |module: &ModuleId, role: InterfaceRole, side: &str| Endpoint {
        url: format!("{base}/{side}/{module}"),
        module: module.clone(),
        role,
    };
    let mut endpoints = vec![Endpoint {
        // The role says nothing for credentials; SENDER is what the specification's note asks for.
        module: ModuleId::Credentials,
        role: Sender,
        url: format!("{base}/credentials"),
    }];
    let owned = [ModuleId::Locations, ModuleId::Tariffs, ModuleId::Sessions, ModuleId::Cdrs];
    if plays(Role::Cpo) {
        endpoints.extend(owned.iter().map(|module| endpoint(module, Sender, "cpo")));
        endpoints.push(endpoint(&ModuleId::Tokens, Receiver, "cpo"));
        endpoints.push(endpoint(&ModuleId::Commands, Receiver, "cpo"));
    }
    if plays(Role::Emsp) {
        endpoints.extend(owned.iter().map(|module| endpoint(module, Receiver, "emsp")));
        endpoints.push(endpoint(&ModuleId::Tokens, Sender, "emsp"));
        endpoints.push(endpoint(&ModuleId::Commands, Sender, "emsp"));
    } else if plays(Role::Nsp) || plays(Role::Nap) {
        let shown = owned.iter().take(2);
        endpoints.extend(shown.map(|module| endpoint(module, Receiver, "emsp")));
    }
    endpoints
}

/// GET versions.
///
/// # Errors
/// When the caller is not known.
pub async fn get_versions(_caller: CredentialsContext, app: web::Data<App>) -> Result<HttpResponse, Refusal> {
    let version = Version { version: VERSION.to_owned(), url: base(&app.public_url), extra: Extra::new() };
    Ok(HttpResponse::Ok().json(Envelope::success([version], app.now())))
}

/// GET the details of this version.
///
/// # Errors
/// When the caller is not known, or the database fails.
pub async fn get_version_details(
    _caller: CredentialsContext,
    app: web::Data<App>,
) -> Result<HttpResponse, Refusal> {
    let ours = app.db.read::<_, DbError, _>(parties::all).await;
    let ours = ours.map_err(|error| Refusal::failed(&error, app.now()))?;
    let details = VersionDetails::of(VERSION, our_endpoints(&app.public_url, &ours));
    Ok(HttpResponse::Ok().json(Envelope::success(details, app.now())))
}
