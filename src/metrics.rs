//! What is counted, for `/metrics`. Labels never hold an id of a person, a token or a secret.

use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};

/// The counters of one node.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// All of them.
    pub registry: Registry,
    /// Messages of stations by direction (`in`, `out`) and action.
    pub ocpp_messages: IntCounterVec,
    /// What a station sent that the schema does not allow but could be understood, by action.
    pub ocpp_violations: IntCounterVec,
    /// What was refused, by edge (`ocpp`, `ocpi`, `api`, `driver`) and reason.
    pub refused: IntCounterVec,
    /// OCPI requests by direction, module and result.
    pub ocpi_requests: IntCounterVec,
    /// HTTP requests by edge and class of status (`2xx`).
    pub http_requests: IntCounterVec,
    /// Seconds from an HTTP request to its answer, by edge.
    pub http_seconds: HistogramVec,
    /// Stations whose socket this node holds.
    pub stations_connected: IntGauge,
    /// Changes that wait for a partner, by partner.
    pub partner_backlog: IntGaugeVec,
    /// Seconds from a station's call to its answer.
    pub ocpp_seconds: Histogram,
}

impl Metrics {
    /// New counters, all zero.
    ///
    /// # Errors
    /// Never, unless two had the same name.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let counters =
            |name: &str, help: &str, labels: &[&str]| -> Result<IntCounterVec, prometheus::Error> {
                let counters = IntCounterVec::new(Opts::new(name, help), labels)?;
                registry.register(Box::new(counters.clone()))?;
                Ok(counters)
            };
        let ocpp_messages =
            counters("roamwatt_ocpp_messages_total", "Messages of stations", &["direction", "action"])?;
        let ocpp_violations = counters(
            "roamwatt_ocpp_violations_total",
            "Messages of stations that break the schema but were understood",
            &["action"],
        )?;
        let refused = counters("roamwatt_refused_total", "What was refused", &["edge", "reason"])?;
        let ocpi_requests =
            counters("roamwatt_ocpi_requests_total", "OCPI requests", &["direction", "module", "result"])?;
        let http_requests = counters("roamwatt_http_requests_total", "HTTP requests", &["edge", "status"])?;
        let http_seconds = HistogramVec::new(
            HistogramOpts::new("roamwatt_http_seconds", "Seconds from an HTTP request to its answer")
                .buckets(vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0]),
            &["edge"],
        )?;
        registry.register(Box::new(http_seconds.clone()))?;
        let stations_connected =
            IntGauge::new("roamwatt_stations_connected", "Stations whose socket this node holds")?;
        registry.register(Box::new(stations_connected.clone()))?;
        let partner_backlog = IntGaugeVec::new(
            Opts::new("roamwatt_partner_backlog", "Changes that wait for a partner"),
            &["partner"],
        )?;
        registry.register(Box::new(partner_backlog.clone()))?;
        let ocpp_seconds = Histogram::with_opts(
            HistogramOpts::new("roamwatt_ocpp_seconds", "Seconds from a station's call to its answer")
                .buckets(vec![0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0]),
        )?;
        registry.register(Box::new(ocpp_seconds.clone()))?;
        Ok(Self {
            registry,
            ocpp_messages,
            ocpp_violations,
            refused,
            ocpi_requests,
            http_requests,
            http_seconds,
            stations_connected,
            partner_backlog,
            ocpp_seconds,
        })
    }
}
