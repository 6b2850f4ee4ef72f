//! A payment and its charge, from the card to the receipt: one address that shows how it stands. Whoever has the
//! address may do what its driver may; it cannot be guessed.

use super::failure::Failed;
use super::layout::Page;
use super::offer::{in_other_language, place, price};
use super::texts::{Texts, filled};
use super::words;
use crate::app::App;
use crate::charging::account::zone_of;
use crate::domain::payment::{PaymentReason, PaymentState};
use crate::domain::{CiString, Money, Timestamp};
use crate::payments::code::Code;
use crate::payments::{self, Deadline, PageNeeds, PaymentError, PaymentView};
use crate::pricing::describe::describe;
use crate::web::pages::language_of;
use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Form, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use maud::{Markup, html};
use serde::Deserialize;

/// Seconds after which a page whose state changes by itself is loaded again without scripts.
const RELOAD: u32 = 8;

/// The language that was chosen; the payment's, where none was.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    lang: Option<String>,
}

/// Where the receipt is to go.
#[derive(Debug, Deserialize)]
pub(super) struct Address {
    email: String,
}

/// A driver's request about a payment.
pub(super) struct Visit {
    pub(super) key: String,
    pub(super) texts: &'static Texts,
    pub(super) view: PaymentView,
}

impl Visit {
    /// Finds the payment of a key.
    pub(super) async fn of(
        app: &App,
        request: &HttpRequest,
        key: String,
        named: Option<&str>,
    ) -> Result<Self, Failed> {
        let guess = Texts::of(language_of(request, named));
        let view = payments::view(app, &key).await.map_err(|error| Failed::new(guess, error))?;
        let texts = Texts::of(language_of(request, named.or(Some(&view.language))));
        Ok(Self { key, texts, view })
    }
}

/// Shows how a payment stands.
pub(super) async fn show(
    app: Data<App>,
    request: HttpRequest,
    key: Path<String>,
    asked: Query<Asked>,
) -> Result<HttpResponse, Failed> {
    let visit = Visit::of(&app, &request, key.into_inner(), asked.lang.as_deref()).await?;
    shown(&app, &request, &visit, None).await
}

/// Where the payment provider sends the driver back to.
pub(super) async fn back(
    app: Data<App>,
    request: HttpRequest,
    key: Path<String>,
) -> Result<HttpResponse, Failed> {
    let texts = Texts::of(language_of(&request, None));
    let app = app.into_inner();
    payments::advance(&app, &key).await.map_err(|error| Failed::new(texts, error))?;
    Ok(to_charge(&key))
}

/// Ends what the driver does not want any more.
pub(super) async fn stop(
    app: Data<App>,
    request: HttpRequest,
    key: Path<String>,
) -> Result<HttpResponse, Failed> {
    let texts = Texts::of(language_of(&request, None));
    let app = app.into_inner();
    payments::stop(&app, &key).await.map_err(|error| Failed::new(texts, error))?;
    Ok(to_charge(&key))
}

/// Takes the address for the receipt.
pub(super) async fn email(
    app: Data<App>,
    request: HttpRequest,
    key: Path<String>,
    address: Form<Address>,
) -> Result<HttpResponse, Failed> {
    let key = key.into_inner();
    match payments::set_email(&app, &key, &address.email).await {
        Ok(_) => Ok(to_charge(&key)),
        Err(PaymentError::Input { .. }) => {
            let visit = Visit::of(&app, &request, key, None).await?;
            shown(&app, &request, &visit, Some(&address.email)).await
        }
        Err(error) => Err(Failed::new(Texts::of(language_of(&request, None)), error)),
    }
}

fn to_charge(key: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((LOCATION, format!("/pay/charge/{key}"))).finish()
}

/// The page of a payment. `wrong` is an address for the receipt that was not taken.
async fn shown(
    app: &App,
    request: &HttpRequest,
    visit: &Visit,
    wrong: Option<&str>,
) -> Result<HttpResponse, Failed> {
    let Visit { key, texts, view } = visit;
    let needs = match view.state {
        PaymentState::Created => {
            payments::page_needs(app, key).await.map_err(|error| Failed::new(texts, error))?
        }
        _ => None,
    };
    let stage = Stage::of(view, needs.is_some());
    let body = html! {
        div #live data-state=(signature(view)) data-events=(format!("/pay/charge/{key}/events")) {
            h1 #heading { (stage.heading(texts)) }
            p #lost .bad role="status" hidden { (texts.connection_lost) }
            (details(app, visit, stage, needs.as_ref()))
        }
        @if app.config.mail.url.is_some() && matches!(stage, Stage::Paid | Stage::Charging) {
            (receipt_address(visit, wrong))
        }
        @if !stage.is_over() && stage != Stage::Pay { p.soft { (texts.keep_link) } }
        @if let Some(location) = &view.place.location {
            (place(location, texts, printed(view)))
        }
    };
    let mut page = Page::plain(texts, stage.heading(texts), body);
    let operator = view.place.location.as_ref().and_then(|location| location.operator.as_ref());
    page.operator = operator.map(|operator| operator.name.as_str());
    page.other_language = Some(in_other_language(request, texts));
    page.provider = needs.as_ref();
    page.reload = (!stage.is_over() && stage != Stage::Pay).then_some(RELOAD);
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(page.with_status(status).answer())
}

/// What a driver has to know or do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Pay,
    Checking,
    Starting,
    PlugIn,
    Charging,
    Stopping,
    Ended,
    Paid,
    Refunded,
    NothingPaid,
}

impl Stage {
    fn of(view: &PaymentView, can_pay: bool) -> Self {
        match view.state {
            PaymentState::Created if can_pay => Self::Pay,
            PaymentState::Created => Self::Checking,
            PaymentState::Authorised => Self::Starting,
            PaymentState::StartSent => Self::PlugIn,
            PaymentState::Charging if view.live.as_ref().is_some_and(|live| live.stopped) => Self::Ended,
            PaymentState::Charging if view.stopping.is_some() => Self::Stopping,
            PaymentState::Charging => Self::Charging,
            PaymentState::Priced | PaymentState::Capturing => Self::Ended,
            PaymentState::Captured | PaymentState::Disputed => Self::Paid,
            PaymentState::Refunded => Self::Refunded,
            PaymentState::Releasing
            | PaymentState::Cancelled
            | PaymentState::Expired
            | PaymentState::Failed => Self::NothingPaid,
        }
    }

    fn heading(self, texts: &'static Texts) -> &'static str {
        match self {
            Self::Pay => texts.payment,
            Self::Checking => texts.checking_payment,
            Self::Starting => texts.starting,
            Self::PlugIn => texts.plug_in,
            Self::Charging => texts.charging,
            Self::Stopping => texts.stopping,
            Self::Ended => texts.ended,
            Self::Paid => texts.thanks,
            Self::Refunded => texts.refunded,
            Self::NothingPaid => texts.nothing_paid,
        }
    }

    /// Whether nothing changes any more by itself.
    fn is_over(self) -> bool {
        matches!(self, Self::Paid | Self::Refunded | Self::NothingPaid)
    }
}

/// When this changes, the page looks different.
pub(super) fn signature(view: &PaymentView) -> String {
    let stopped = view.live.as_ref().is_some_and(|live| live.stopped);
    format!(
        "{} {} {} {stopped} {}",
        view.state,
        view.reason.map_or("", PaymentReason::as_str),
        view.stopping.is_some(),
        view.receipt_number.is_some(),
    )
}

fn details(app: &App, visit: &Visit, stage: Stage, needs: Option<&PageNeeds>) -> Markup {
    let Visit { key, texts, view } = visit;
    html! {
        @if let Some(reason) = view.reason {
            p.bad role="alert" { (words::reason(reason, texts.language)) }
        }
        @match stage {
            Stage::Pay => {
                @if let Some(needs) = needs { (payment_form(app, visit, needs)) }
                section.card { h2 { (texts.price) } (price(&describe(&view.tariff, texts.language))) }
                (stop_form(key, texts.cancel, true))
            }
            Stage::Checking => {}
            Stage::Starting => {
                p { (texts.starting_hint) }
                (stop_form(key, texts.cancel, true))
            }
            Stage::PlugIn => {
                @if let Some(Deadline::PlugIn(until)) = view.deadline {
                    p { (filled(texts.plug_in_until, "time", &clock(view, until))) }
                }
                (stop_form(key, texts.cancel, true))
            }
            Stage::Charging => {
                (figures(visit))
                (stop_form(key, texts.stop, false))
                p.soft { (filled(texts.stops_before, "amount", &amount(visit, view.held))) }
            }
            Stage::Stopping => (figures(visit)),
            Stage::Ended => {
                p { (texts.ended_hint) }
                (figures(visit))
            }
            Stage::Paid | Stage::Refunded => {
                (sums(visit))
                @if view.receipt_number.is_some() {
                    a.button href=(format!("/pay/charge/{key}/receipt?lang={}", texts.language)) { (texts.receipt) }
                    a.button.quiet href=(format!("/pay/charge/{key}/receipt.pdf?lang={}", texts.language)) {
                        (texts.receipt_pdf)
                    }
                }
            }
            Stage::NothingPaid => {
                (sums(visit))
                a.button.quiet href=(code_address(app, view)) { (texts.start_again) }
            }
        }
    }
}

/// The payment provider's form. Without its script nothing can be paid, and nothing was held.
fn payment_form(app: &App, visit: &Visit, needs: &PageNeeds) -> Markup {
    let Visit { key, texts, view } = visit;
    let hold = amount(visit, view.hold);
    html! {
        p { (filled(texts.hold_explained, "amount", &hold)) }
        noscript { p.bad { (texts.pay_needs_script) } }
        form #payment method="post"
            data-key=(needs.publishable_key)
            data-secret=(needs.client_secret)
            data-account=(needs.account.as_deref().unwrap_or_default())
            data-back=(format!("{}/pay/charge/{key}/back", app.public_url))
            data-locale=(texts.language)
            data-paying=(texts.paying)
            data-missing=(texts.pay_script_missing)
        {
            div #payment-element {}
            p #payment-error .bad role="alert" tabindex="-1" hidden {}
            button type="submit" disabled { (filled(texts.pay_button, "amount", &hold)) }
        }
    }
}

fn stop_form(key: &str, label: &str, quiet: bool) -> Markup {
    html! {
        form method="post" action=(format!("/pay/charge/{key}/stop")) {
            button.quiet[quiet] type="submit" { (label) }
        }
    }
}

/// Energy, time and cost, each of which the script renews.
fn figures(visit: &Visit) -> Markup {
    let texts = visit.texts;
    let [kwh, minutes, cost] = live_fields(visit.texts, &visit.view);
    html! {
        dl.figures {
            dt { (texts.energy) } dd data-field="kwh" { (kwh) }
            dt { (texts.duration) } dd data-field="minutes" { (minutes) }
            dt { (texts.cost_so_far) } dd.big data-field="cost" { (cost) }
            dt { (texts.held) } dd { (amount(visit, visit.view.held)) }
        }
    }
}

/// Energy, time and cost as they are shown.
pub(super) fn live_fields(texts: &'static Texts, view: &PaymentView) -> [String; 3] {
    let language = texts.language;
    let Some(live) = &view.live else {
        return [
            format!("{} kWh", language.number(0.into())),
            minutes(0),
            language.amount(&view.currency, 0.into()),
        ];
    };
    let cost = live.cost.incl_vat.unwrap_or(live.cost.excl_vat);
    [
        format!("{} kWh", language.number(live.kwh.decimal().round_dp(2))),
        minutes(live.seconds),
        language.amount(&view.currency, cost.decimal()),
    ]
}

/// Whole minutes, and hours where there are any.
fn minutes(seconds: i64) -> String {
    let minutes = seconds.max(0).div_euclid(60);
    match (minutes.div_euclid(60), minutes.rem_euclid(60)) {
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes:02} min"),
    }
}

/// What was paid, and what became of the rest.
fn sums(visit: &Visit) -> Markup {
    let Visit { texts, view, .. } = visit;
    let rows =
        [(texts.paid, view.captured), (texts.released, view.released), (texts.refunded, view.refunded)];
    html! {
        @if rows.iter().any(|(_, sum)| *sum != Money::ZERO) {
            dl.figures {
                @for (name, sum) in rows.into_iter().filter(|(_, sum)| *sum != Money::ZERO) {
                    dt { (name) } dd { (amount(visit, sum)) }
                }
            }
        }
    }
}

/// Where the receipt goes, or the form for it.
fn receipt_address(visit: &Visit, wrong: Option<&str>) -> Markup {
    let Visit { key, texts, view } = visit;
    html! {
        @match (&view.email, wrong) {
            (Some(email), None) => p { (filled(texts.receipt_goes_to, "address", email)) },
            (_, wrong) => {
                form method="post" action=(format!("/pay/charge/{key}/email")) {
                    label for="email" { (texts.send_receipt) }
                    input #email name="email" type="email" autocomplete="email" inputmode="email" maxlength="254"
                        required value=(wrong.unwrap_or_default()) aria-describedby=[wrong.map(|_| "email-wrong")]
                        aria-invalid=[wrong.map(|_| "true")];
                    @if wrong.is_some() { p.bad #email-wrong { (texts.email_wrong) } }
                    button.quiet type="submit" { (texts.send) }
                }
            }
        }
    }
}

fn amount(visit: &Visit, amount: Money) -> String {
    visit.texts.language.amount(&visit.view.currency, amount.decimal())
}

/// A time of day at the charging point.
fn clock(view: &PaymentView, at: Timestamp) -> String {
    let zone = view.place.location.as_ref().map_or(chrono_tz::UTC, |location| zone_of(&location.time_zone));
    at.utc().with_timezone(&zone).format("%H:%M").to_string()
}

/// The charging point as it is printed on it.
pub(super) fn printed(view: &PaymentView) -> &CiString {
    view.place.evse_id.as_ref().unwrap_or(&view.place.evse_uid)
}

/// The page at which it all begins again.
fn code_address(app: &App, view: &PaymentView) -> String {
    let code = Code { evse: printed(view).to_string(), until: None };
    code.path(&app.keys)
}
