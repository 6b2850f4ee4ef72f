//! CDRs over HTTP (OCPI 2.2.1 mod_cdrs, "Interfaces and endpoints"). A CDR is sent once and never changes.

use super::wire;
use crate::app::App;
use crate::domain::CiString;
use crate::domain::cdr::Cdr;
use crate::ocpi::answer::{found, misread, page, page_query, party_of_path, refuse_receive};
use crate::ocpi::auth::{PartnerContext, Refusal};
use crate::ocpi::envelope::{Envelope, StatusCode};
use crate::ocpi::message::Message;
use crate::ocpi::sent::when_sent;
use crate::ocpi::wire::parse_noting;
use crate::roaming::receive::{self, ObjectId, ReceiveError};
use crate::roaming::serve;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use tracing::Instrument;

fn refused(app: &App, error: &ReceiveError) -> Refusal {
    refuse_receive(app, error, StatusCode::INVALID_PARAMETERS)
}

/// Sender GET: the CDRs of the caller's drivers. A CDR that went out so is not posted as well: it comes to the eMSP
/// by push or by pull (OCPI 2.2.1 mod_cdrs, "Flow and Lifecycle", "Push model" and "Pull model").
///
/// # Errors
/// When the page is wrong, or the database fails.
pub async fn get_ours(
    caller: PartnerContext,
    app: web::Data<App>,
    req: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    let (query, part) = page_query(&app, &req)?;
    let served = serve::cdrs(&app, &caller.partner, caller.to.as_ref(), part).await;
    let (slice, untold) = served.map_err(|error| Refusal::failed(&error, app.now()))?;
    let slice = slice.map(|cdr| wire::Cdr::from(cdr).with_at_most_4_decimals());
    let answer = page(&app, &req, &query, slice);
    if untold.is_empty() {
        return Ok(answer);
    }
    let taken = async move {
        if let Err(error) = serve::cdrs_were_taken(&app, untold).await {
            // They are posted all the same, which the partner has to bear.
            tracing::warn!(%error, "that a partner pulled CDRs could not be kept");
        }
    };
    Ok(when_sent(answer, taken.in_current_span()))
}

/// Receiver POST: a new CDR. The same again is answered like the first time, with the same `Location`.
///
/// # Errors
/// 2001 when the body is no CDR or another CDR has its id, 404 when it is not the caller's.
pub async fn post(message: Message, app: web::Data<App>, req: HttpRequest) -> Result<HttpResponse, Refusal> {
    let parsed = parse_noting::<wire::Cdr>(&message.body).map_err(|error| misread(&app, &error))?;
    let cdr = Cdr::try_from(parsed.object).map_err(|error| misread(&app, &error))?;
    let url = location_of(&app, &req, &cdr);
    let taken = receive::take_cdr(&app, &message.sender.partner, cdr).await;
    taken.map_err(|error| refused(&app, &error))?;
    Ok(HttpResponse::Created().insert_header((LOCATION, url)).json(Envelope::done(app.now())))
}

/// Where a CDR can be read again; the id may hold characters that a URL cannot.
fn location_of(app: &App, req: &HttpRequest, cdr: &Cdr) -> String {
    let base = format!("{}{}", app.public_url, req.path().trim_end_matches('/'));
    let id: String = url::form_urlencoded::byte_serialize(cdr.id.as_str().as_bytes()).collect();
    let id = id.replace('+', "%20");
    format!("{base}/{}/{}/{id}", cdr.party.country_code(), cdr.party.party_id())
}

/// Receiver GET: a CDR as it was sent, at the `Location` of the answer to its POST.
///
/// # Errors
/// 404 when it is not there or not the caller's.
pub async fn get_theirs(
    caller: PartnerContext,
    app: web::Data<App>,
    path: web::Path<(String, String, CiString)>,
) -> Result<HttpResponse, Refusal> {
    let (country_code, party_id, id) = path.into_inner();
    let key = ObjectId { party: party_of_path(&app, &country_code, &party_id)?, id };
    let cdr = receive::find_cdr(&app, &caller.partner, key).await;
    let cdr = cdr.map_err(|error| refused(&app, &error))?;
    Ok(found(&app, wire::Cdr::from(cdr)))
}
