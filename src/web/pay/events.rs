//! A charge as it goes on, as server-sent events ([`crate::web::live`]). The browser connects again by itself, and gets
//! how it stands first.

use super::charge::{Visit, live_fields, signature};
use super::failure::Failed;
use crate::app::App;
use crate::payments;
use crate::web::live::{Live, Next, Place, Teller, Topic, answer, event};
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Streams of one payment: its page may be open on several devices.
const PER_PAYMENT: usize = 8;

/// The language of the page.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    lang: Option<String>,
}

/// The stream of one open page.
struct Page {
    app: Arc<App>,
    visit: Visit,
    /// Whether changes of the charge are watched, which begins after the payment.
    follows: bool,
    sent: String,
}

/// Tells how a payment stands, now and whenever that changes.
pub(super) async fn events(
    app: Data<App>,
    live: Data<Live>,
    request: HttpRequest,
    key: Path<String>,
    asked: Query<Asked>,
) -> Result<HttpResponse, Failed> {
    let visit = Visit::of(&app, &request, key.into_inner(), asked.lang.as_deref()).await?;
    let id = visit.view.id.clone();
    let opened = live.into_inner().open(&format!("payment {id}"), PER_PAYMENT);
    let mut place = opened.map_err(|too_many| Failed::busy(visit.texts, too_many))?;
    place.watch(Topic::Payment(id));
    Ok(answer(place, Page { app: app.into_inner(), visit, follows: false, sent: String::new() }))
}

impl Teller for Page {
    const LONGEST: Option<Duration> = Some(Duration::from_secs(3600));

    async fn look(&mut self, place: &mut Place) -> Next {
        loop {
            match payments::view_again(&self.app, &self.visit.key, &self.visit.view).await {
                Ok(view) => self.visit.view = view,
                Err(error) => {
                    tracing::warn!(error = crate::http::with_causes(&error), "a charge's stream ends");
                    return Next::End;
                }
            }
            match &self.visit.view.live {
                Some(live) if !self.follows => {
                    place.watch(Topic::session(&live.session_id));
                    // Once more: it may have changed before it was watched.
                    self.follows = true;
                }
                _ => break,
            }
        }
        let view = &self.visit.view;
        let [kwh, minutes, cost] = live_fields(self.visit.texts, view);
        let fields = json!({ "kwh": kwh, "minutes": minutes, "cost": cost });
        let told = event("payment", None, &json!({ "state": signature(view), "fields": fields }));
        if told == self.sent {
            return Next::Same;
        }
        self.sent.clone_from(&told);
        Next::Event(told)
    }
}
