//! What is in a part of the map: places, or marks for many of them.

use crate::app::App;
use crate::db::{DbError, locations};
use crate::payments::code::Code;
use crate::pricing::describe::Language;
use crate::search::place::kilowatts;
use crate::search::{Filter, GeoBox, Hit};
use crate::web::pages::plug_name;
use crate::web::problem::Problem;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{Data, Query};
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};

/// Most places that are shown one by one.
const MOST: usize = 500;

/// Which part.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// `west,south,east,north`, degrees.
    r#box: String,
    /// As map tiles count, 0 to 20.
    zoom: u8,
    /// Free ones only.
    #[serde(default)]
    free: bool,
    /// Language of the words.
    #[serde(default)]
    lang: String,
}

#[derive(Debug, Serialize)]
struct Answer {
    total: usize,
    clusters: Vec<Mark>,
    places: Vec<Shown>,
}

#[derive(Debug, Serialize)]
struct Mark {
    at: (f64, f64),
    places: usize,
    evses: usize,
    free: usize,
    bounds: ((f64, f64), (f64, f64)),
}

#[derive(Debug, Serialize)]
struct Shown {
    at: (f64, f64),
    name: String,
    address: String,
    free: usize,
    evses: usize,
    /// Plugs with their power and price, in words.
    plugs: Vec<String>,
    /// The pay pages of its charging points: what is printed on each, and where it leads.
    pay: Vec<(String, String)>,
}

/// Tells what is in a box.
pub(super) async fn places(app: Data<App>, asked: Query<Asked>) -> Result<HttpResponse, Problem> {
    let area = parsed(&asked.r#box).ok_or_else(|| {
        Problem::bad("query", "box", "write it like 8.9,48.7,9.4,49.0: west, south, east and north in degrees")
    })?;
    let filter = Filter { free: asked.free, ..Filter::default() };
    let language: Language = asked.lang.parse().unwrap_or_default();
    let snapshot = app.search.now();
    // What is only for some drivers is for none that we do not know.
    let found = snapshot.cluster(area, asked.zoom, &filter, &|place| place.only_for.is_none());
    let clusters = found.clusters.iter().map(|cluster| Mark {
        at: (cluster.center.latitude(), cluster.center.longitude()),
        places: cluster.places,
        evses: cluster.evses,
        free: cluster.free,
        bounds: ((cluster.bounds.south, cluster.bounds.west), (cluster.bounds.north, cluster.bounds.east)),
    });
    let mut shown = Vec::new();
    for hit in found.single.iter().take(MOST) {
        let pay = pay_pages(&app, hit).await?;
        shown.push(Shown {
            at: (hit.place.point.latitude(), hit.place.point.longitude()),
            name: hit.place.name.clone().unwrap_or_else(|| hit.place.address.clone()),
            address: format!("{}, {}", hit.place.address, hit.place.city),
            free: hit.free,
            evses: hit.fitting,
            plugs: plugs(hit, language),
            pay,
        });
    }
    let answer = Answer { total: found.total, clusters: clusters.collect(), places: shown };
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-cache")).json(web::Json(answer).into_inner()))
}

fn parsed(text: &str) -> Option<GeoBox> {
    let mut parts = text.split(',').map(|part| part.trim().parse::<f64>().ok());
    let mut next = || parts.next().flatten().filter(|degrees| degrees.is_finite());
    let (west, south, east, north) = (next()?, next()?, next()?, next()?);
    GeoBox::new(west, south, east, north).filter(|_| next().is_none())
}

/// Each kind of plug once, the strongest first.
fn plugs(hit: &Hit, language: Language) -> Vec<String> {
    let mut kinds: Vec<(i64, String)> = Vec::new();
    for outlet in hit.place.spots.iter().flat_map(|spot| &spot.outlets) {
        let power = format!("{}, {} kW", plug_name(&outlet.standard), language.number(kilowatts(outlet.watts)));
        let text = match &outlet.price {
            Some(price) => format!("{power}, {}", price.in_words(language)),
            None => power,
        };
        if !kinds.iter().any(|(_, known)| *known == text) {
            kinds.push((outlet.watts, text));
        }
    }
    kinds.sort_by_key(|(watts, _)| std::cmp::Reverse(*watts));
    kinds.into_iter().map(|(_, text)| text).collect()
}

/// The pay pages of a place of ours, where ad hoc payment is offered at all.
async fn pay_pages(app: &App, hit: &Hit) -> Result<Vec<(String, String)>, Problem> {
    if app.payments.provider().is_none() || hit.place.partner_id.is_some() {
        return Ok(Vec::new());
    }
    let (party, id) = (hit.place.party.clone(), hit.place.id.clone());
    let location = app.db.read(move |conn| Ok::<_, DbError>(locations::find(conn, &party, &id)?)).await?;
    let Some(location) = location else { return Ok(Vec::new()) };
    let page = |evse: &crate::domain::location::Evse| {
        let printed = evse.evse_id.as_ref().unwrap_or(&evse.uid).to_string();
        let code = Code { evse: printed.clone(), until: None };
        (printed, code.path(&app.keys))
    };
    Ok(location.evses.iter().map(page).collect())
}
