//! What is in a part of the map: places, or marks for many of them.

use crate::app::App;
use crate::db::{DbError, locations};
use crate::domain::location::Evse;
use crate::payments::code::Code;
use crate::pricing::describe::Language;
use crate::search::cluster::FINEST;
use crate::search::place::kilowatts;
use crate::search::{Filter, Hit};
use crate::web::api::input::{Parameters, Strict};
use crate::web::driver::filter::{read_box, whole};
use crate::web::pages::plug_name;
use crate::web::problem::Problem;
use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::Data;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Most places that are shown one by one.
const MOST: usize = 500;

/// Which part.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    /// `west,south,east,north`, degrees.
    bbox: String,
    /// As map tiles count, 0 to 20.
    zoom: String,
    /// Free ones only.
    #[serde(default)]
    free: bool,
    /// Language of the words.
    #[serde(default)]
    lang: String,
}

impl Parameters for Asked {
    const NAMES: &'static [&'static str] = &["bbox", "zoom", "free", "lang"];
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
pub(super) async fn places(app: Data<App>, Strict(asked): Strict<Asked>) -> Result<HttpResponse, Problem> {
    let area = read_box(&asked.bbox)?;
    let zoom = whole("zoom", &asked.zoom, 0..=FINEST)?;
    let filter = Filter { free: asked.free, ..Filter::default() };
    let language: Language = asked.lang.parse().unwrap_or_default();
    let snapshot = app.search.now();
    // What is only for some drivers is for none that we do not know.
    let found = snapshot.cluster(area, zoom, &filter, &|place| place.only_for.is_none());
    let clusters = found.clusters.iter().map(|cluster| Mark {
        at: (cluster.center.latitude(), cluster.center.longitude()),
        places: cluster.places,
        evses: cluster.evses,
        free: cluster.free,
        bounds: ((cluster.bounds.south, cluster.bounds.west), (cluster.bounds.north, cluster.bounds.east)),
    });
    let alone = found.single.get(..MOST).unwrap_or(&found.single);
    let mut pay = pay_pages(&app, alone).await?;
    let shown = alone.iter().map(|hit| Shown {
        at: (hit.place.point.latitude(), hit.place.point.longitude()),
        name: hit.place.name.clone().unwrap_or_else(|| hit.place.address.clone()),
        address: format!("{}, {}", hit.place.address, hit.place.city),
        free: hit.free,
        evses: hit.fitting,
        plugs: plugs(hit, language),
        pay: pay.remove(&hit.place.seq).unwrap_or_default(),
    });
    let answer = Answer { total: found.total, clusters: clusters.collect(), places: shown.collect() };
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-cache")).json(answer))
}

/// Each kind of plug once, the strongest first.
fn plugs(hit: &Hit, language: Language) -> Vec<String> {
    let mut kinds: Vec<(i64, String)> = Vec::new();
    for outlet in hit.place.spots.iter().flat_map(|spot| &spot.outlets) {
        let power =
            format!("{}, {} kW", plug_name(&outlet.standard), language.number(kilowatts(outlet.watts)));
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

/// The pay pages of places of ours, by the place, where ad hoc payment is offered at all.
async fn pay_pages(app: &App, hits: &[Hit]) -> Result<HashMap<i64, Vec<(String, String)>>, Problem> {
    if app.payments.provider().is_none() {
        return Ok(HashMap::new());
    }
    let ours = hits.iter().filter(|hit| hit.place.partner_id.is_none());
    let wanted: Vec<_> =
        ours.map(|hit| (hit.place.seq, hit.place.party.clone(), hit.place.id.clone())).collect();
    let locations = app
        .db
        .read(move |conn| {
            let mut found = Vec::new();
            for (seq, party, id) in &wanted {
                found.extend(locations::find(conn, party, id)?.map(|location| (*seq, location)));
            }
            Ok::<_, DbError>(found)
        })
        .await?;
    let page = |evse: &Evse| {
        let printed = evse.evse_id.as_ref().unwrap_or(&evse.uid).to_string();
        let code = Code { evse: printed.clone(), until: None };
        (printed, code.path(&app.keys))
    };
    Ok(locations
        .into_iter()
        .map(|(seq, location)| (seq, location.evses.iter().flatten().map(page).collect()))
        .collect())
}
