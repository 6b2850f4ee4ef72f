//! What is offered at a charging point: the page behind the code that is printed on it.

use super::failure::Failed;
use super::layout::Page;
use super::texts::{Texts, filled};
use crate::app::App;
use crate::domain::CiString;
use crate::domain::location::{Connector, Location};
use crate::payments::begin::new_nonce;
use crate::payments::code::{Code, CodeError};
use crate::payments::offer::max_power;
use crate::payments::{self, Availability, Begin, Offer, OfferedConnector, PaymentError};
use crate::pricing::describe::{Description, Language, Part, describe};
use crate::web::pages::{language_of, plug_name};
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Form, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use maud::{Markup, html};
use serde::Deserialize;

/// What the address of the page says beside the EVSE.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    /// The signature of the code.
    #[serde(default)]
    s: String,
    /// Until when the code counts, seconds since 1970; one that is printed counts always.
    t: Option<String>,
    /// The language that was chosen.
    lang: Option<String>,
}

/// What the page sends.
#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    connector: Option<String>,
    #[serde(default)]
    email: String,
    nonce: String,
}

/// What stands in the form when the page is shown.
struct Filled<'a> {
    connector: Option<&'a str>,
    email: &'a str,
    nonce: &'a str,
    /// What was wrong with what was sent.
    problem: Option<&'static str>,
    /// Receipts can be sent.
    mail: bool,
}

/// Shows the offer.
pub(super) async fn show(
    app: Data<App>,
    request: HttpRequest,
    evse: Path<String>,
    asked: Query<Asked>,
) -> Result<HttpResponse, Failed> {
    let texts = Texts::of(language_of(&request, asked.lang.as_deref()));
    let code = checked(&app, &evse, &asked, texts)?;
    let offer = payments::offer(&app, &code.evse).await.map_err(|error| Failed::new(texts, error))?;
    let nonce = new_nonce();
    let form = Filled {
        connector: None,
        email: "",
        nonce: &nonce,
        problem: None,
        mail: app.config.mail.url.is_some(),
    };
    Ok(page(&offer, &request, texts, &form).answer())
}

/// Begins a payment and leads to its page.
pub(super) async fn begin(
    app: Data<App>,
    request: HttpRequest,
    evse: Path<String>,
    asked: Query<Asked>,
    wanted: Form<Wanted>,
) -> Result<HttpResponse, Failed> {
    let texts = Texts::of(language_of(&request, asked.lang.as_deref()));
    let code = checked(&app, &evse, &asked, texts)?;
    let begin = Begin {
        evse: code.evse.clone(),
        connector: wanted.connector.as_deref().filter(|id| !id.is_empty()).map(CiString::from),
        language: texts.language.as_str().to_owned(),
        email: Some(wanted.email.clone()),
        nonce: wanted.nonce.clone(),
    };
    let app = app.into_inner();
    let error = match payments::begin(&app, begin).await {
        Ok(begun) => {
            let place = format!("/pay/charge/{}", begun.key);
            return Ok(HttpResponse::SeeOther().insert_header((LOCATION, place)).finish());
        }
        Err(error) => error,
    };
    let (status, problem) = match &error {
        PaymentError::Input { field: "email", .. } => (StatusCode::UNPROCESSABLE_ENTITY, texts.email_wrong),
        PaymentError::Input { field: "connector", .. } => {
            (StatusCode::UNPROCESSABLE_ENTITY, texts.choose_connector)
        }
        // Somebody was faster, or the station went away: the page shows how it is now.
        PaymentError::Unavailable(_) => (StatusCode::CONFLICT, texts.cannot_start),
        _ => return Err(Failed::new(texts, error)),
    };
    let offer = payments::offer(&app, &code.evse).await.map_err(|error| Failed::new(texts, error))?;
    let form = Filled {
        connector: wanted.connector.as_deref(),
        email: &wanted.email,
        nonce: &wanted.nonce,
        problem: Some(problem),
        mail: app.config.mail.url.is_some(),
    };
    Ok(page(&offer, &request, texts, &form).with_status(status).answer())
}

/// The code of an address, if it is one of ours and still counts.
fn checked(app: &App, evse: &str, asked: &Asked, texts: &'static Texts) -> Result<Code, Failed> {
    // A time that is none was not made here either.
    let until = asked
        .t
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|_| Failed::code(texts, CodeError::NotOurs))?;
    let code = Code { evse: evse.to_owned(), until };
    code.check(&app.keys, &asked.s, app.now()).map_err(|error| Failed::code(texts, error))?;
    Ok(code)
}

fn page<'a>(offer: &'a Offer, request: &HttpRequest, texts: &'static Texts, form: &Filled<'_>) -> Page<'a> {
    let usable = offer.connectors.iter().any(is_usable);
    let number = offer.evse.evse_id.as_ref().unwrap_or(&offer.evse.uid);
    let one = offer.connectors.len() == 1;
    let body = html! {
        h1 { (texts.charge_here) }
        (place(&offer.location, texts, number))
        @if let Some(problem) = form.problem { p.bad role="alert" { (problem) } }
        form method="post" action=(address(request)) {
            input type="hidden" name="nonce" value=(form.nonce);
            @if one {
                @for offered in &offer.connectors { (of_connector(offered, texts)) }
            } @else {
                fieldset {
                    legend { (texts.choose_connector) }
                    @for offered in &offer.connectors {
                        @let id = offered.connector.id.as_str();
                        label.choice {
                            input type="radio" name="connector" value=(id) required
                                checked[form.connector == Some(id)] disabled[!is_usable(offered)];
                            " " (plug(&offered.connector, texts.language)) " – " (availability(offered, texts))
                        }
                        (of_connector(offered, texts))
                    }
                }
            }
            @if usable {
                @if form.mail {
                    label for="email" { (texts.email) }
                    input #email name="email" type="email" autocomplete="email" inputmode="email" maxlength="254"
                        aria-describedby="email-hint" value=(form.email);
                    p.soft #email-hint { (texts.email_hint) }
                }
                button type="submit" { (texts.to_payment) }
            }
        }
        @if !usable {
            p.bad { (texts.cannot_start) }
            a.button.quiet href=(address(request)) { (texts.look_again) }
        }
    };
    let mut page = Page::plain(texts, texts.charge_here, body);
    page.operator = Some(&offer.merchant.name);
    page.other_language = Some(in_other_language(request, texts));
    page
}

/// Where the charging point is.
pub(super) fn place(location: &Location, texts: &'static Texts, number: &CiString) -> Markup {
    html! {
        p.place {
            @if let Some(name) = &location.name { (name) br; }
            (location.address) ", "
            @if let Some(code) = &location.postal_code { (code) " " }
            (location.city) br;
            (texts.connector) " " strong { (number) }
        }
    }
}

fn is_usable(offered: &OfferedConnector) -> bool {
    offered.availability == Availability::Free && offered.hold_is_enough()
}

fn availability(offered: &OfferedConnector, texts: &'static Texts) -> &'static str {
    match offered.availability {
        Availability::Free => texts.free,
        Availability::Occupied => texts.occupied,
        Availability::Offline => texts.not_connected,
        Availability::OutOfOrder => texts.out_of_service,
    }
}

/// A plug as people know it, and its power.
fn plug(connector: &Connector, language: Language) -> String {
    let name = plug_name(&connector.standard);
    let power = max_power(connector);
    if power.is_zero() { name.to_owned() } else { format!("{name}, {} kW", language.number(power)) }
}

/// Status, price and hold of a connector.
fn of_connector(offered: &OfferedConnector, texts: &'static Texts) -> Markup {
    let description = describe(&offered.tariff, texts.language);
    let hold = texts.language.amount(&offered.currency, offered.hold.decimal());
    html! {
        p { span.status { (availability(offered, texts)) } " " span.soft { (plug(&offered.connector, texts.language)) } }
        section.card {
            h2 { (texts.price) }
            (price(&description))
        }
        section.card {
            h2 { (texts.hold) ": " (hold) }
            p { (filled(texts.hold_explained, "amount", &hold)) }
            @if !offered.hold_is_enough() { p.bad { (texts.hold_too_small) } }
        }
    }
}

/// A price: the sentence, then every price in the order of Regulation (EU) 2023/1804, Article 5.
pub(super) fn price(description: &Description) -> Markup {
    html! {
        p { (description.summary) }
        @for part in Part::ALL {
            @let lines: Vec<_> = description.lines.iter().filter(|line| line.part == part).collect();
            @if !lines.is_empty() {
                div.lines {
                    h3 { (part.heading(description.language)) }
                    @for line in lines { p { (line.text) } }
                }
            }
        }
    }
}

/// The address of a page, to come back to.
fn address(request: &HttpRequest) -> String {
    request.uri().path_and_query().map(ToString::to_string).unwrap_or_default()
}

/// The same page in the other language.
pub(super) fn in_other_language(request: &HttpRequest, texts: &'static Texts) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in url::form_urlencoded::parse(request.query_string().as_bytes()) {
        if name != "lang" {
            query.append_pair(&name, &value);
        }
    }
    query.append_pair("lang", texts.other().as_str());
    format!("{}?{}", request.path(), query.finish())
}
