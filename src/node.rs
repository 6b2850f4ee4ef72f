//! A node: the database, the HTTP server with every edge on it, and the jobs, started and stopped together.
//! Nothing is global, so that several nodes can run in one process.

use crate::app::{App, Wakes};
use crate::clock::Clock;
use crate::config::{Config, PaymentsConfig, ProviderName, key_file};
use crate::db::{self, Db, DbError, DbOptions, DbUrl};
use crate::driver::gate::Gate;
use crate::driver::oidc::Issuers;
use crate::energy::{self, Energy, Notices};
use crate::jobs::{commands, delivery, drivers, receipts, search, settle, site_meters, sync, tariffs};
use crate::metrics::Metrics;
use crate::ocpi;
use crate::ocpi::link::OcpiLink;
use crate::ocpp::{self, Registry};
use crate::payments::stripe::{Stripe, StripeError};
use crate::payments::{PaymentProvider, Payments};
use crate::search::Search;
use crate::security::{Keys, SealBroken};
use crate::web;
use crate::web::driver::limits::DriverLimits;
use crate::web::limits::Limits;
use crate::web::live::{self, Live};
use crate::web::tls::{Certificate, TlsError};
use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::{HttpServer, web as actix};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Connections that may wait to be accepted: many stations come back at once after an outage.
const BACKLOG: u32 = 4096;

/// What a node is started with beside its configuration.
#[derive(Debug)]
pub struct NodeOptions {
    /// Where the time comes from.
    pub clock: Clock,
    /// Whether missing migrations are run; without, they are an error.
    pub migrate: bool,
    /// A socket that listens already, in place of the configured address.
    pub listener: Option<TcpListener>,
}

impl Default for NodeOptions {
    fn default() -> Self {
        Self { clock: Clock::System, migrate: true, listener: None }
    }
}

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The address is taken, or not one of this machine.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The HTTP server cannot be started.
    #[error("the HTTP server cannot be started")]
    Server(#[source] io::Error),
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The schema is older than this version, and nobody asked to migrate.
    #[error("the database lacks the migrations {}; run `roamwatt migrate`", .0.join(", "))]
    NotMigrated(Vec<String>),
    /// There is no key.
    #[error(transparent)]
    Key(#[from] key_file::KeyError),
    /// The key cannot be used.
    #[error("the keys of this installation cannot be derived")]
    Keys(#[source] SealBroken),
    /// Partners cannot be called.
    #[error(transparent)]
    Client(#[from] ocpi::client::ClientError),
    /// The payment provider cannot be called.
    #[error(transparent)]
    Provider(#[from] StripeError),
    /// The counters cannot be made.
    #[error("the metrics cannot be set up")]
    Metrics(#[from] prometheus::Error),
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A running node.
#[derive(Debug)]
pub struct Node {
    app: Arc<App>,
    stations: Arc<Registry>,
    address: SocketAddr,
    handle: ServerHandle,
    server: JoinHandle<io::Result<()>>,
    jobs: Vec<JoinHandle<()>>,
    stop: CancellationToken,
}

impl Node {
    /// Starts a node and returns once it listens. To be called on a tokio runtime, which the jobs then run on;
    /// each thread of the HTTP server has its own.
    ///
    /// # Errors
    /// When any part of it cannot be started; nothing runs then.
    pub async fn start(config: Config, options: NodeOptions) -> Result<Self, NodeError> {
        let NodeOptions { clock, migrate, listener } = options;
        let listener = match listener {
            Some(listener) => listener,
            None => listen(config.server.listen)?,
        };
        let address = listener.local_addr().map_err(NodeError::Server)?;
        let certificate = config.server.tls.as_ref().map(Certificate::load).transpose()?;
        let (app, stations, notices) = assemble(config, clock, migrate, address).await?;
        let app = Arc::new(app);

        let limits = actix::Data::new(Limits::new(&app.config.limits));
        let stop = CancellationToken::new();
        let live = Arc::new(Live::new(app.config.driver.streams, stop.clone()));
        let shares = actix::Data::new(DriverLimits::new(&app.config.driver));
        let server = serve(&app, &stations, listener, limits.clone(), &live, &shares, certificate.as_ref())?;
        let handle = server.handle();
        let server = tokio::spawn(server);
        let mut jobs = vec![tokio::spawn({
            let stop = stop.clone();
            async move { limits.forget_quiet(stop).await }
        })];
        jobs.push(tokio::spawn({
            let stop = stop.clone();
            async move { shares.forget_quiet(stop).await }
        }));
        if let Some(certificate) = certificate {
            let interval = app.config.server.tls_reload_interval;
            jobs.push(tokio::spawn(certificate.watch(interval, stop.clone())));
        }
        let watch = ocpp::watch::run(app.db.clone(), Arc::clone(&stations), stop.clone());
        jobs.push(tokio::spawn(watch));
        jobs.push(tokio::spawn(live::run(Arc::clone(&app), live)));
        jobs.push(tokio::spawn(drivers::run(Arc::clone(&app), stop.clone())));
        jobs.push(tokio::spawn(receipts::run(Arc::clone(&app), stop.clone())));
        jobs.push(tokio::spawn(settle::run(Arc::clone(&app), stop.clone())));
        jobs.push(tokio::spawn(crate::jobs::payments::run(Arc::clone(&app), stop.clone())));
        jobs.push(tokio::spawn(commands::run(Arc::clone(&app), stop.clone())));
        jobs.push(tokio::spawn(delivery::run(Arc::clone(&app), stop.clone())));
        jobs.push(tokio::spawn(sync::run(Arc::clone(&app), stop.clone())));
        jobs.push(tokio::spawn(tariffs::run(Arc::clone(&app), stop.clone())));
        jobs.push(tokio::spawn(search::run(Arc::clone(&app), stop.clone())));
        jobs.push(tokio::spawn(site_meters::run(Arc::clone(&app), stop.clone())));
        jobs.push(tokio::spawn(energy::run(Arc::clone(&app), notices, stop.clone())));
        tracing::info!(%address, public_url = app.public_url, "listening");
        Ok(Self { app, stations, address, handle, server, jobs, stop })
    }

    /// The handles that its edges share.
    #[must_use]
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// Waits until the server ends by itself, which it does only when it fails.
    ///
    /// # Errors
    /// With why it ended.
    pub async fn ended(&mut self) -> io::Result<()> {
        match (&mut self.server).await {
            Ok(ended) => ended,
            Err(error) => Err(io::Error::other(error)),
        }
    }

    /// Stops it in order: no new connections, stations are told to go away, what runs is finished within
    /// `server.shutdown_grace`, the jobs end.
    pub async fn stop(mut self) {
        self.handle.pause().await;
        let left = self.stations.close_all(self.app.config.server.shutdown_grace).await;
        if left > 0 {
            tracing::warn!(left, "stations were cut off in the middle of their work");
        }
        self.stop.cancel();
        // Longer than the server itself waits, so that this only ends a stop that hangs.
        let most = self.app.config.server.shutdown_grace.saturating_add(Duration::from_secs(5));
        let handle = self.handle.clone();
        if tokio::time::timeout(most, handle.stop(true)).await.is_err() {
            tracing::warn!("the server did not stop in time");
        }
        for job in std::mem::take(&mut self.jobs) {
            let abort = job.abort_handle();
            if tokio::time::timeout(most, job).await.is_err() {
                tracing::warn!("a job did not stop in time");
                abort.abort();
            }
        }
        tracing::info!(address = %self.address, "stopped");
    }
}

impl Drop for Node {
    /// A node that is dropped without [`Node::stop`] ends at once.
    fn drop(&mut self) {
        self.stop.cancel();
        self.server.abort();
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, NodeError> {
    let open = || {
        let socket = if address.is_ipv4() {
            tokio::net::TcpSocket::new_v4()?
        } else {
            tokio::net::TcpSocket::new_v6()?
        };
        // A node that is started again must not wait for the connections of the one before it to be forgotten.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)?.into_std()
    };
    open().map_err(|source| NodeError::Listen { address, source })
}

/// Opens the database and makes the handles.
async fn assemble(
    mut config: Config,
    clock: Clock,
    migrate: bool,
    address: SocketAddr,
) -> Result<(App, Arc<Registry>, Notices), NodeError> {
    config.server.listen = address;
    // Before the database, since a new one gets its key file first.
    let key = key_file::secret_key(&config)?;
    let keys = || Keys::new(&key).map_err(NodeError::Keys);
    let db = open(&config).await?;
    if migrate {
        for name in db.migrate().await? {
            tracing::info!(name, "migrated");
        }
    } else {
        let missing = db.pending_migrations().await?;
        if !missing.is_empty() {
            return Err(NodeError::NotMigrated(missing));
        }
    }
    let public_url = config.server.public_base();
    let url = public_url.clone();
    db.write(move |conn| {
        // No socket outlives the process that held it.
        db::stations::set_all_offline(conn)?;
        db::settings::set(conn, db::settings::PUBLIC_URL, &url)
    })
    .await?;
    let metrics = Metrics::new()?;
    let stations = Registry::new(config.ocpp.clone(), metrics.clone(), db.clone(), clock.clone());
    let partners =
        Arc::new(OcpiLink::new(db.clone(), keys()?, clock.clone(), &config.roaming, metrics.clone())?);
    let (energy, notices) = Energy::new();
    let provider = provider(&config.payments)?;
    let app = App {
        db,
        issuers: Issuers::new(partners.clone(), clock.clone()),
        gate: Gate::default(),
        clock,
        keys: keys()?,
        metrics,
        public_url,
        stations: stations.clone(),
        partners,
        energy,
        payments: Payments::new(provider),
        search: Search::default(),
        wakes: Wakes::default(),
        config,
    };
    Ok((app, stations, notices))
}

/// Who holds and takes money for drivers without a contract.
fn provider(config: &PaymentsConfig) -> Result<Option<Arc<dyn PaymentProvider>>, StripeError> {
    Ok(match config.provider {
        ProviderName::None => None,
        ProviderName::Stripe => Some(Arc::new(Stripe::new(config)?)),
    })
}

async fn open(config: &Config) -> Result<Db, DbError> {
    let url: DbUrl = config.database.url.reveal().parse()?;
    let pool_size = match &url {
        DbUrl::Sqlite(_) => config.database.read_connections,
        DbUrl::Postgres(_) => config.database.pool_size,
    };
    let options = DbOptions { pool_size, busy_timeout: config.database.busy_timeout };
    let opened = tokio::task::spawn_blocking(move || Db::open(&url, &options)).await;
    opened.unwrap_or(Err(DbError::Panicked))
}

/// The HTTP server with every edge on it.
fn serve(
    app: &Arc<App>,
    stations: &Arc<Registry>,
    listener: TcpListener,
    limits: actix::Data<Limits>,
    live: &Arc<Live>,
    shares: &actix::Data<DriverLimits>,
    certificate: Option<&Arc<Certificate>>,
) -> Result<actix_web::dev::Server, NodeError> {
    let data = actix::Data::from(Arc::clone(app));
    let live = actix::Data::from(Arc::clone(live));
    let stations = Arc::clone(stations);
    let shares = shares.clone();
    let origins = app.config.driver.allowed_origins.clone();
    let settings = app.config.server.clone();
    let max_body = settings.max_body;
    let mut server = HttpServer::new(move || {
        actix_web::App::new()
            .app_data(data.clone())
            .app_data(limits.clone())
            .app_data(live.clone())
            .app_data(shares.clone())
            .app_data(actix::PayloadConfig::new(max_body))
            // The last is the outermost.
            .wrap(from_fn(web::limits::limit))
            .wrap(from_fn(web::requests::follow))
            .configure(|service| ocpp::configure(service, &stations))
            .configure(ocpi::configure)
            .configure(|service| web::configure(service, &origins))
            .default_service(actix::to(web::problem::nothing_here))
    })
    .disable_signals()
    // Without this the last part of a long answer waits until its reader has acknowledged the ones before, which
    // readers put off for 40 ms.
    .tcp_nodelay(true)
    .keep_alive(settings.keep_alive)
    .client_request_timeout(settings.header_timeout)
    .tls_handshake_timeout(settings.header_timeout)
    .max_connections(MAX_CONNECTIONS)
    .shutdown_timeout(settings.shutdown_grace.as_secs());
    if let Some(workers) = settings.workers {
        server = server.workers(workers);
    }
    let server = match certificate {
        Some(certificate) => server.listen_rustls_0_23(listener, certificate.server_config()?),
        None => server.listen(listener),
    };
    Ok(server.map_err(NodeError::Server)?.run())
}

/// Connections that one thread of the server holds: every station keeps one open.
const MAX_CONNECTIONS: usize = 1_000_000;
