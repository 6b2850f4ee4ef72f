//! `roamwatt partner`: the platforms that this node is peered with.

use super::Settings;
use super::failure::{Failure, Outcome};
use super::output::{Column, Output, facts, table};
use super::store::Store;
use crate::config::Secret;
use crate::db::partners::Health;
use crate::db::{DbResult, changes, partners, settings};
use crate::domain::partner::{DeliveryPolicy, Partner, PartnerStatus, TokenEncoding};
use crate::metrics::Metrics;
use crate::ocpi::link::OcpiLink;
use crate::roaming::desk::{Desk, RegistrationError};
use crate::roaming::registration::{Invite, Register};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

/// Invites, registers with, lists and removes roaming partners
#[derive(Debug, Args)]
pub struct PartnerArgs {
    #[command(subcommand)]
    command: PartnerCommand,
}

#[derive(Debug, Subcommand)]
enum PartnerCommand {
    Invite(InviteArgs),
    Register(RegisterArgs),
    List(ListArgs),
    Renew(RenewArgs),
    Suspend(SuspendArgs),
    Resume(ResumeArgs),
    Remove(RemoveArgs),
}

/// How a partner is dealt with.
#[derive(Debug, Args)]
struct Manner {
    /// converge: changes are pushed to the partner; pull_only: the partner asks for them
    #[arg(long, default_value = "converge", value_parser = parse_delivery)]
    delivery: DeliveryPolicy,
    /// How the partner wants its token in the Authorization header: base64 (OCPI 2.2.1) or raw
    #[arg(long, default_value = "base64", value_parser = parse_encoding)]
    token_encoding: TokenEncoding,
}

/// Where partners reach this node.
#[derive(Debug, Args)]
struct Reach {
    /// URL under which partners reach this node [default: that of the node that serves this database]
    #[arg(long, value_name = "URL")]
    public_url: Option<url::Url>,
}

/// Makes a token A, with which a partner can register here
#[derive(Debug, Args)]
#[command(after_help = "Example:
  roamwatt partner invite --name \"Peer\" --allow-origin https://peer.example

Send the versions URL and the token to the partner over a channel that both trust; the token is shown
only now. The partner's URLs may lead to the origins named here and nowhere else. Naming an origin
approves exactly its scheme, host and port: http://127.0.0.1:9000 is possible for a trial.")]
pub struct InviteArgs {
    /// What to call the partner
    #[arg(long)]
    name: String,
    /// Origin (scheme, host, port) that the partner's URLs may have; can be given several times
    #[arg(long = "allow-origin", value_name = "ORIGIN", required = true)]
    allow_origins: Vec<String>,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    manner: Manner,
}

/// Registers with a partner that gave us a token A; needs a node that answers at the public URL
#[derive(Debug, Args)]
#[command(after_help = "Example:
  roamwatt partner register --name \"Peer\" --versions-url https://peer.example/ocpi/versions --token TOKEN_A

The partner calls this node back while it registers, so `roamwatt serve` has to run on this database
and be reachable. The origin of the versions URL is approved by being named.")]
pub struct RegisterArgs {
    /// What to call the partner
    #[arg(long)]
    name: String,
    /// The partner's versions URL
    #[arg(long, value_name = "URL")]
    versions_url: String,
    /// The token A that the partner gave us
    #[arg(long, value_name = "TOKEN_A")]
    token: String,
    /// Another origin that the partner's URLs may have; can be given several times
    #[arg(long = "allow-origin", value_name = "ORIGIN")]
    allow_origins: Vec<String>,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    manner: Manner,
}

/// Lists the partners, how their connections fare, and what waits for them
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  roamwatt partner list")]
pub struct ListArgs {}

/// Gives a partner a new token and our present parties, and takes its new token
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  roamwatt partner renew --name \"Peer\"")]
pub struct RenewArgs {
    /// Which partner
    #[arg(long)]
    name: String,
    #[command(flatten)]
    reach: Reach,
}

/// Stops all traffic with a partner until it is resumed
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  roamwatt partner suspend --name \"Peer\"")]
pub struct SuspendArgs {
    /// Which partner
    #[arg(long)]
    name: String,
}

/// Takes up the traffic with a suspended partner, and tells it what it missed
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  roamwatt partner resume --name \"Peer\"")]
pub struct ResumeArgs {
    /// Which partner
    #[arg(long)]
    name: String,
}

/// Ends the registration with a partner and forgets what it told us; sessions and CDRs stay
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  roamwatt partner remove --name \"Peer\"")]
pub struct RemoveArgs {
    /// Which partner
    #[arg(long)]
    name: String,
}

fn parse_delivery(text: &str) -> Result<DeliveryPolicy, String> {
    let policy = DeliveryPolicy::from(text);
    if policy.is_known() { Ok(policy) } else { Err("is neither converge nor pull_only".to_owned()) }
}

fn parse_encoding(text: &str) -> Result<TokenEncoding, String> {
    let encoding = TokenEncoding::from(text);
    if encoding.is_known() { Ok(encoding) } else { Err("is neither base64 nor raw".to_owned()) }
}

/// Runs the command.
///
/// # Errors
/// When the database or the partner refuses.
pub fn run(settings: &Settings, output: Output, args: PartnerArgs) -> Outcome {
    let office = Office::open(settings)?;
    match args.command {
        PartnerCommand::Invite(args) => invite(&office, output, args),
        PartnerCommand::Register(args) => register(&office, output, args),
        PartnerCommand::List(_) => list(&office, output),
        PartnerCommand::Renew(RenewArgs { name, reach }) => {
            let url = office.public_url(&reach)?;
            let renewed = office.store.block_on(office.desk(&url).update_credentials(&name));
            told(output, &renewed.map_err(|error| failure(error, "cannot renew the registration"))?)
        }
        PartnerCommand::Suspend(SuspendArgs { name }) => {
            let suspended = office.store.block_on(office.desk("").suspend(&name));
            told(output, &suspended.map_err(|error| failure(error, "cannot suspend the partner"))?)
        }
        PartnerCommand::Resume(ResumeArgs { name }) => {
            let resumed = office.store.block_on(office.desk("").resume(&name));
            told(output, &resumed.map_err(|error| failure(error, "cannot resume the partner"))?)
        }
        PartnerCommand::Remove(RemoveArgs { name }) => remove(&office, output, &name),
    }
}

/// What the commands on partners work with.
struct Office {
    store: Store,
    keys: crate::security::Keys,
    link: OcpiLink,
}

impl Office {
    fn open(settings: &Settings) -> Result<Self, Failure> {
        let store = Store::open(settings)?;
        let roaming = &store.config.roaming;
        let link =
            OcpiLink::new(store.db.clone(), store.keys()?, store.clock.clone(), roaming, Metrics::new()?)?;
        Ok(Self { keys: store.keys()?, link, store })
    }

    fn desk<'a>(&'a self, public_url: &'a str) -> Desk<'a> {
        Desk { db: &self.store.db, clock: &self.store.clock, keys: &self.keys, link: &self.link, public_url }
    }

    /// Named here, or by the node that serves this database, or by the configuration.
    fn public_url(&self, reach: &Reach) -> Result<String, Failure> {
        if let Some(url) = &reach.public_url {
            return Ok(url.as_str().trim_end_matches('/').to_owned());
        }
        let stored = self.store.read(|conn| settings::get(conn, settings::PUBLIC_URL))?;
        Ok(stored.unwrap_or_else(|| self.store.config.server.public_base()))
    }
}

fn failure(error: RegistrationError, doing: &str) -> Failure {
    let remedy = match &error {
        RegistrationError::NoParty => {
            "add one: roamwatt party add --country DE --party ABC --role cpo --name \"ABC Charging\""
        }
        RegistrationError::NotReachable { .. } => {
            "start `roamwatt serve` on this database, or name where it is reached with --public-url; nothing was sent"
        }
        RegistrationError::Unknown(_) => "`roamwatt partner list` shows the partners",
        RegistrationError::Discovery(_) | RegistrationError::Call(_) => {
            "nothing was kept of this registration"
        }
        _ => return Failure::from(error).while_doing(doing),
    };
    Failure::from(error).while_doing(doing).with_remedy(remedy)
}

fn invite(office: &Office, output: Output, args: InviteArgs) -> Outcome {
    let InviteArgs { name, allow_origins, reach, manner: Manner { delivery, token_encoding } } = args;
    let url = office.public_url(&reach)?;
    let invite = Invite { name, allowed_origins: allow_origins, delivery, encoding: token_encoding };
    let invitation = office
        .store
        .block_on(office.desk(&url).invite(invite))
        .map_err(|error| failure(error, "cannot invite the partner"))?;
    let token = invitation.token.reveal();
    let json = json!({
        "partner": invitation.partner.name,
        "versions_url": invitation.versions_url,
        "token": token,
        "allowed_origins": invitation.partner.allowed_origins,
    });
    output.show(&json, || {
        facts(&[
            ("partner", invitation.partner.name.clone()),
            ("versions URL", invitation.versions_url.clone()),
            ("token A", token.to_owned()),
            ("may use", invitation.partner.allowed_origins.join(", ")),
        ])
    })?;
    output.note("\nGive the partner the versions URL and the token; the token is shown only now.");
    Ok(())
}

fn register(office: &Office, output: Output, args: RegisterArgs) -> Outcome {
    let RegisterArgs { name, versions_url, token, allow_origins, reach, manner } = args;
    let url = office.public_url(&reach)?;
    let register = Register {
        name,
        versions_url,
        token: Secret::new(token),
        allowed_origins: allow_origins,
        delivery: manner.delivery,
        encoding: manner.token_encoding,
    };
    let registered = office.store.block_on(office.desk(&url).register(register));
    told(output, &registered.map_err(|error| failure(error, "cannot register with the partner"))?)
}

fn remove(office: &Office, output: Output, name: &str) -> Outcome {
    let (_, untold) = office
        .store
        .block_on(office.desk("").remove(name))
        .map_err(|error| failure(error, "cannot remove the partner"))?;
    let reason = untold.map(|error| error.to_string());
    output.show(&json!({ "partner": name, "removed": true, "not_told": reason }), || {
        let mut text = format!("{name} is removed");
        if let Some(reason) = &reason {
            text.push_str(&format!("; it could not be told: {reason}"));
        }
        text
    })
}

fn told(output: Output, partner: &Partner) -> Outcome {
    output.show(&as_json(partner), || {
        facts(&[
            ("partner", partner.name.clone()),
            ("status", status(partner)),
            ("version", partner.version.clone().unwrap_or_default()),
            ("parties", parties_of(partner)),
            ("modules", modules_of(partner)),
        ])
    })
}

fn list(office: &Office, output: Output) -> Outcome {
    type Row = (Partner, Health, (i64, i64));
    let rows = office.store.read(|conn| -> DbResult<Vec<Row>> {
        let all = partners::all(conn)?.into_iter().filter(|partner| partner.status != PartnerStatus::Removed);
        all.map(|partner| {
            let (health, backlog) =
                (partners::health(conn, partner.id)?, changes::backlog(conn, partner.id)?);
            Ok((partner, health, backlog))
        })
        .collect()
    })?;
    let json: Vec<Value> = rows
        .iter()
        .map(|(partner, health, (waiting, aside))| {
            let mut json = as_json(partner);
            if let Some(object) = json.as_object_mut() {
                object.insert("waiting".to_owned(), json!(waiting));
                object.insert("set_aside".to_owned(), json!(aside));
                object.insert("last_contact".to_owned(), json!(health.last_contact));
                object.insert("last_error".to_owned(), json!(health.last_error));
                object.insert("retry_at".to_owned(), json!(health.retry_at));
            }
            json
        })
        .collect();
    output.show(&json, || {
        let columns = [
            Column::Text("PARTNER"),
            Column::Text("STATUS"),
            Column::Text("PARTIES"),
            Column::Text("DELIVERY"),
            Column::Number("WAITING"),
            Column::Number("ASIDE"),
            Column::Text("LAST CONTACT"),
            Column::Text("PROBLEM"),
        ];
        let rows = rows.iter().map(|(partner, health, (waiting, aside))| {
            vec![
                partner.name.clone(),
                status(partner),
                parties_of(partner),
                partner.delivery.to_string(),
                waiting.to_string(),
                aside.to_string(),
                health.last_contact.map(|at| at.to_string()).unwrap_or_default(),
                health.last_error.clone().unwrap_or_default(),
            ]
        });
        table(&columns, rows, "no partners yet; `roamwatt partner invite --help` shows how to invite one")
    })
}

fn status(partner: &Partner) -> String {
    partner.status.as_str().to_lowercase()
}

fn parties_of(partner: &Partner) -> String {
    let roles = partner.roles.iter().map(|role| format!("{} {}", role.party, role.role));
    roles.collect::<Vec<_>>().join(", ")
}

fn modules_of(partner: &Partner) -> String {
    let modules = partner
        .endpoints
        .iter()
        .map(|endpoint| format!("{} ({})", endpoint.module, endpoint.role.as_str().to_lowercase()));
    modules.collect::<Vec<_>>().join(", ")
}

fn as_json(partner: &Partner) -> Value {
    json!({
        "partner": partner.name,
        "status": partner.status,
        "version": partner.version,
        "versions_url": partner.versions_url,
        "roles": partner.roles.iter().map(|role| json!({
            "country_code": role.party.country_code(),
            "party_id": role.party.party_id(),
            "role": role.role,
            "name": role.name,
        })).collect::<Vec<_>>(),
        "endpoints": partner.endpoints,
        "allowed_origins": partner.allowed_origins,
        "delivery": partner.delivery,
        "token_encoding": partner.token_encoding,
    })
}
