//! Places gathered for a map that shows much of the earth.

use super::auth::Caller;
use super::filter::{filter_query, read_box, whole};
use super::locations::{PlaceView, eyes};
use super::output::tagged;
use crate::app::App;
use crate::search::cluster::FINEST;
use crate::search::{Cluster, Moment, Place};
use crate::web::api::input::Strict;
use crate::web::problem::Problem;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

filter_query! {
    /// What a map shows, and what for.
    pub struct ClusterQuery {
        /// The box that the map shows: west, south, east, north in degrees.
        #[param(example = "5.8,47.2,15.1,55.1")]
        bbox: String,
        /// The map's zoom, 0 to 20: the earth is 256 pixels wide at 0, and twice as wide with each.
        #[param(example = "6")]
        zoom: String,
    }
}

/// What a map shows.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ClustersView {
    /// How many places fit in all.
    total: usize,
    /// The zoom whose grid it is: a smaller one than was asked for where that would be too many marks.
    zoom: u8,
    /// Where there are several places.
    clusters: Vec<ClusterView>,
    /// Places that are alone.
    locations: Vec<PlaceView>,
}

/// Several places that one mark stands for.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ClusterView {
    /// In their middle, degrees.
    latitude: f64,
    /// In their middle, degrees.
    longitude: f64,
    /// How many places.
    locations: usize,
    /// How many of their EVSEs fit.
    evses: usize,
    /// How many of these are free.
    free: usize,
    /// The box around them: west, south, east, north.
    bounds: [f64; 4],
}

impl From<Cluster> for ClusterView {
    fn from(cluster: Cluster) -> Self {
        let Cluster { center, places, evses, free, bounds } = cluster;
        Self {
            latitude: center.latitude(),
            longitude: center.longitude(),
            locations: places,
            evses,
            free,
            bounds: [bounds.west, bounds.south, bounds.east, bounds.north],
        }
    }
}

/// Gathers places for a map
///
/// By a grid that only the zoom decides, so that marks stay where they are when the map is moved. Places that are alone
/// in their cell of the grid come as they do in a list.
///
/// # Errors
/// 400 for a parameter that cannot be understood.
#[utoipa::path(
    get, path = "/driver/v1/clusters", tag = "locations", params(ClusterQuery),
    responses((status = 200, description = "What the map shows", body = ClustersView))
)]
pub async fn list(
    Caller(holder): Caller,
    app: web::Data<App>,
    request: HttpRequest,
    Strict(query): Strict<ClusterQuery>,
) -> Result<HttpResponse, Problem> {
    let missing = |name: &'static str| Problem::bad("query", name, "it is missing");
    let area = read_box(query.bbox.as_deref().ok_or_else(|| missing("bbox"))?)?;
    let zoom = whole("zoom", query.zoom.as_deref().ok_or_else(|| missing("zoom"))?, 0..=FINEST)?;
    let now = app.now();
    let filter = query.filter(now)?;
    let snapshot = app.search.now();
    let tokens = eyes(&app, &snapshot, &holder).await?;
    let found = snapshot.cluster(area, zoom, &filter, &|place: &Place| place.is_for(&tokens));
    let moment = Moment::new(now);
    let view = ClustersView {
        total: found.total,
        zoom: found.zoom,
        clusters: found.clusters.into_iter().map(ClusterView::from).collect(),
        locations: found.single.iter().map(|hit| PlaceView::of(hit, &moment)).collect(),
    };
    tagged(&request, &view)
}
