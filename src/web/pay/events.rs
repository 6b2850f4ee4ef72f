//! A charge as it goes on, as server-sent events (HTML, "Server-sent events"). The browser connects again by itself,
//! and gets how it stands first.

use super::charge::{Visit, live_fields, signature};
use super::failure::Failed;
use crate::app::App;
use crate::payments;
use crate::web::live::{Live, Watching};
use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::web::{Bytes, Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::json;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// A line now and then, so that nobody in between thinks that the connection is dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// No stream is longer: the browser connects again.
const LONGEST: Duration = Duration::from_secs(3600);

/// The language of the page.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    lang: Option<String>,
}

/// The stream of one open page.
struct Stream {
    app: Arc<App>,
    visit: Visit,
    payment: Watching,
    /// Changes of the charge, once there is one.
    session: Option<Watching>,
    live: Arc<Live>,
    sent: String,
    until: tokio::time::Instant,
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
    let live = live.into_inner();
    let stream = Stream {
        app: app.into_inner(),
        payment: live.watch(&visit.view.id),
        session: None,
        visit,
        live,
        sent: String::new(),
        until: tokio::time::Instant::now() + LONGEST,
    };
    let body = futures_util::stream::unfold(stream, |stream| async {
        let (text, stream) = stream.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(text)), stream))
    });
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        // What is compressed is held back until there is enough of it.
        .insert_header((CONTENT_ENCODING, "identity"))
        // A proxy that collects answers would hold the events back.
        .insert_header(("x-accel-buffering", "no"))
        .streaming(body))
}

impl Stream {
    /// What is sent next; none at the end.
    async fn next(mut self) -> Option<(String, Self)> {
        if self.sent.is_empty() {
            return Some((self.told(), self));
        }
        loop {
            if tokio::time::Instant::now() >= self.until {
                return None;
            }
            if !self.woken().await {
                return Some((": still here\n\n".to_owned(), self));
            }
            match payments::view_again(&self.app, &self.visit.key, &self.visit.view).await {
                Ok(view) => self.visit.view = view,
                Err(error) => {
                    tracing::warn!(error = crate::http::with_causes(&error), "a charge's stream ends");
                    return None;
                }
            }
            let before = std::mem::take(&mut self.sent);
            let told = self.told();
            if self.sent != before {
                return Some((told, self));
            }
        }
    }

    /// Waits for a change; whether there was one.
    async fn woken(&mut self) -> bool {
        let session = async {
            match &mut self.session {
                Some(session) => session.changed().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.payment.changed() => true,
            () = session => true,
            () = tokio::time::sleep(KEEP_ALIVE) => false,
        }
    }

    /// How it stands, as an event; what is watched follows it.
    fn told(&mut self) -> String {
        let view = &self.visit.view;
        if self.session.is_none()
            && let Some(live) = &view.live
        {
            self.session = Some(self.live.watch(&live.session_id));
        }
        let [kwh, minutes, cost] = live_fields(self.visit.texts, view);
        let fields = json!({ "kwh": kwh, "minutes": minutes, "cost": cost });
        let data = json!({ "state": signature(view), "fields": fields });
        self.sent = data.to_string();
        format!("event: payment\ndata: {data}\n\n")
    }
}
