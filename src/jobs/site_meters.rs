//! Reads site meters from an MQTT broker, where one is configured: the topics that the sites' meters name, with
//! amperes where their JSON pointers say.

use crate::app::App;
use crate::config::LoadConfig;
use crate::db::load;
use crate::load::site::MqttSource;
use rumqttc::{
    AsyncClient, Event, EventLoop, Incoming, MqttOptions, Publish, QoS, TlsConfiguration, Transport,
};
use rustls::RootCertStore;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use url::Url;

/// How often it looks whether sites have other meters.
const LOOK: Duration = Duration::from_secs(5);

/// How long it waits after the broker could not be reached.
const PAUSE: Duration = Duration::from_secs(3);

/// The largest message that is looked at, bytes.
const LARGEST: usize = 64 * 1024;

/// Whose meter a topic is: site, meter, and where in the message its amperes are.
type Wanted = (String, String, MqttSource);

/// Runs until it is stopped; ends at once where no broker is configured.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    let Some(url) = app.config.load.mqtt_url.clone() else { return };
    let (client, mut connection) = connect(&url, &app.config.load);
    let mut wanted: BTreeMap<String, Vec<Wanted>> = BTreeMap::new();
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = look.tick() => {
                let now = wanted_topics(&app).await.unwrap_or_else(|| wanted.clone());
                change(&client, &wanted, &now).await;
                wanted = now;
            }
            event = connection.poll() => match event {
                Ok(Event::Incoming(Incoming::ConnAck(_))) => {
                    tracing::info!(broker = %url, "site meters are read");
                    // A broker that was away has forgotten what we asked for.
                    change(&client, &BTreeMap::new(), &wanted).await;
                }
                Ok(Event::Incoming(Incoming::Publish(message))) => take(&app, &wanted, &message),
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(broker = %url, %error, "the MQTT broker cannot be reached; trying again");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

fn connect(url: &Url, config: &LoadConfig) -> (AsyncClient, EventLoop) {
    let encrypted = url.scheme() == "mqtts";
    let port = url.port().unwrap_or(if encrypted { 8883 } else { 1883 });
    let id = format!("roamwatt-{}", uuid::Uuid::new_v4().simple());
    let mut options = MqttOptions::new(id, (url.host_str().unwrap_or_default(), port));
    options.set_keep_alive(15);
    options.set_max_packet_size(LARGEST, LARGEST);
    if !config.mqtt_user.is_empty() {
        options.set_credentials(&config.mqtt_user, config.mqtt_password.reveal().to_owned());
    }
    if encrypted {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        match rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions() {
            Ok(tls) => {
                let tls = tls.with_root_certificates(roots).with_no_client_auth();
                options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(Arc::new(tls))));
            }
            Err(error) => tracing::error!(%error, "TLS towards the MQTT broker cannot be set up"),
        }
    }
    AsyncClient::builder(options).capacity(64).build()
}

/// The topics of all sites' meters; none where the database does not say.
async fn wanted_topics(app: &App) -> Option<BTreeMap<String, Vec<Wanted>>> {
    let sites = match app.db.read(load::all).await {
        Ok(sites) => sites,
        Err(error) => {
            tracing::error!(%error, "the sites' meters cannot be read");
            return None;
        }
    };
    let mut topics: BTreeMap<String, Vec<Wanted>> = BTreeMap::new();
    for row in sites {
        for meter in row.site.meters {
            if let Some(source) = meter.mqtt {
                topics.entry(source.topic.clone()).or_default().push((row.site.id.clone(), meter.id, source));
            }
        }
    }
    Some(topics)
}

/// Asks the broker for what is new, and no longer for what is gone.
async fn change(
    client: &AsyncClient,
    old: &BTreeMap<String, Vec<Wanted>>,
    new: &BTreeMap<String, Vec<Wanted>>,
) {
    let keys = |topics: &BTreeMap<String, Vec<Wanted>>| topics.keys().cloned().collect::<BTreeSet<_>>();
    let (old, new) = (keys(old), keys(new));
    for topic in new.difference(&old) {
        if let Err(error) = client.subscribe(topic.clone(), QoS::AtMostOnce).await {
            tracing::warn!(topic, %error, "a meter's topic cannot be asked for");
        }
    }
    for topic in old.difference(&new) {
        if let Err(error) = client.unsubscribe(topic.clone()).await {
            tracing::warn!(topic, %error, "a meter's topic cannot be given up");
        }
    }
}

/// A message of a meter. One that does not say what was expected is told as nonsense, so that the worst case counts.
fn take(app: &App, wanted: &BTreeMap<String, Vec<Wanted>>, message: &Publish) {
    // What the broker kept for who comes later is of no known age.
    if message.retain {
        return;
    }
    let topic = std::str::from_utf8(&message.topic).unwrap_or_default();
    for (site, meter, source) in wanted.get(topic).into_iter().flatten() {
        let amps = source.amps_in(&message.payload);
        if amps.iter().any(|amps| amps.is_nan()) {
            tracing::warn!(site, meter, topic = source.topic, "a meter's message does not say its amperes");
        }
        app.energy.site_meter(site, meter, amps, app.now());
    }
}
