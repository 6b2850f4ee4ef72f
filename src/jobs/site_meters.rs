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
use tokio::sync::mpsc;
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

/// What comes from the broker.
enum News {
    /// It can be reached, and has forgotten what we asked for.
    Connected,
    Lost,
    Message(Publish),
}

/// Runs until it is stopped; ends at once where no broker is configured.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    let Some(url) = app.config.load.mqtt_url.clone() else { return };
    let (client, connection) = connect(&url, &app.config.load);
    let (told, mut news) = mpsc::unbounded_channel();
    // A task of its own: what is asked of the broker waits for a place in a short line that only it empties.
    tokio::spawn(listen(connection, url.host_str().unwrap_or_default().to_owned(), told, stop.clone()));
    let mut wanted: BTreeMap<String, Vec<Wanted>> = BTreeMap::new();
    let mut asked: BTreeSet<String> = BTreeSet::new();
    let mut connected = false;
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = look.tick() => {
                if let Some(now) = wanted_topics(&app).await {
                    wanted = now;
                }
            }
            told = news.recv() => match told {
                None => return,
                Some(News::Connected) => {
                    connected = true;
                    asked.clear();
                }
                Some(News::Lost) => connected = false,
                Some(News::Message(message)) => {
                    take(&app, &wanted, &message);
                    continue;
                }
            },
        }
        if connected {
            tokio::select! {
                () = stop.cancelled() => return,
                () = change(&client, &mut asked, &wanted) => {}
            }
        }
    }
}

/// Keeps the connection, and hands on what comes.
async fn listen(
    mut connection: EventLoop,
    broker: String,
    news: mpsc::UnboundedSender<News>,
    stop: CancellationToken,
) {
    loop {
        let event = tokio::select! {
            () = stop.cancelled() => return,
            event = connection.poll() => event,
        };
        let told = match event {
            Ok(Event::Incoming(Incoming::ConnAck(_))) => {
                tracing::info!(broker, "site meters are read");
                news.send(News::Connected)
            }
            Ok(Event::Incoming(Incoming::Publish(message))) => news.send(News::Message(message)),
            Ok(_) => Ok(()),
            Err(error) => {
                tracing::warn!(broker, %error, "the MQTT broker cannot be reached; trying again");
                let told = news.send(News::Lost);
                tokio::time::sleep(PAUSE).await;
                told
            }
        };
        if told.is_err() {
            return;
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
async fn change(client: &AsyncClient, asked: &mut BTreeSet<String>, wanted: &BTreeMap<String, Vec<Wanted>>) {
    for topic in wanted.keys() {
        if asked.contains(topic) {
            continue;
        }
        match client.subscribe(topic.clone(), QoS::AtMostOnce).await {
            Ok(()) => {
                asked.insert(topic.clone());
            }
            Err(error) => tracing::warn!(topic, %error, "a meter's topic cannot be asked for"),
        }
    }
    let gone: Vec<String> = asked.iter().filter(|topic| !wanted.contains_key(*topic)).cloned().collect();
    for topic in gone {
        if let Err(error) = client.unsubscribe(topic.clone()).await {
            tracing::warn!(topic, %error, "a meter's topic cannot be given up");
        }
        asked.remove(&topic);
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
