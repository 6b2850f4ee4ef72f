//! `roamwatt tariff assign` and `tariff unassign`.

use super::assignments::{as_json, shown, text};
use super::{tariff_meant, write_and_spread};
use crate::cli::Settings;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::output::{Output, printable};
use crate::cli::store::Store;
use crate::domain::assignment::{Assignment, Buyers, ConnectorRef, Place};
use crate::domain::party::PartyId;
use crate::domain::{CiString, Timestamp};
use crate::roaming::assign::{assign, naming_themselves, partner_named, unassign};
use clap::Args;

/// Assigns a tariff to places and buyers: what is charged there by them is priced by it
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt tariff assign DAY --all
  roamwatt tariff assign FAST --connector LOC1/E1/1
  roamwatt tariff assign FLEET --group depots --token-group fleet
  roamwatt tariff assign SUMMER --all --partner Emp --from 2026-06-01 --to 2026-09-01

Of several, the one that says most prices: by the buyer (token group, then partner or eMSP, then
everybody), then by the place (connector, EVSE, group, location, everywhere). docs/tariffs.md has
the whole order. Partners are told within seconds, when a node runs.")]
#[command(group(clap::ArgGroup::new("place").required(true)
    .args(["connector", "evse", "location", "group", "all"])))]
#[command(group(clap::ArgGroup::new("buyers").args(["partner", "emsp", "token_group"])))]
pub(super) struct AssignArgs {
    /// The tariff
    #[arg(value_name = "TARIFF_ID")]
    tariff_id: String,
    /// Its party, where the id alone names several
    #[arg(long, value_name = "DE*ABC")]
    party: Option<PartyId>,
    /// At one connector
    #[arg(long, value_name = "LOC/EVSE/CONN")]
    connector: Option<ConnectorRef>,
    /// At one EVSE
    #[arg(long, value_name = "LOC/EVSE")]
    evse: Option<String>,
    /// At one location
    #[arg(long, value_name = "LOC")]
    location: Option<String>,
    /// At the stations and connectors of a group (`roamwatt tariff group`)
    #[arg(long, value_name = "NAME")]
    group: Option<String>,
    /// Everywhere at the tariff's party
    #[arg(long)]
    all: bool,
    /// For the drivers of a roaming partner, by its name or number [default: for everybody]
    #[arg(long, value_name = "NAME")]
    partner: Option<String>,
    /// For the drivers of an eMSP, whoever speaks for it
    #[arg(long, value_name = "NL*XYZ")]
    emsp: Option<PartyId>,
    /// For the tokens of a group (`roamwatt tariff group`)
    #[arg(long, value_name = "NAME")]
    token_group: Option<String>,
    /// For charges that begin from then on, UTC, like 2026-06-01 or 2026-06-01T06:00:00Z [default: at once]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    from: Option<Timestamp>,
    /// For charges that begin before, UTC [default: for good]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    to: Option<Timestamp>,
    /// Assign it though something in it does not price
    #[arg(long)]
    accept_warnings: bool,
}

fn parse_time(text: &str) -> Result<Timestamp, String> {
    // A day alone begins at midnight.
    let whole = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    Timestamp::parse(&whole).map_err(|error| error.to_string())
}

/// Runs the command.
///
/// # Errors
/// When something that is named is not there, or the tariff holds what does not price.
pub(super) fn run(settings: &Settings, output: Output, args: &AssignArgs) -> Outcome {
    let store = Store::open(settings)?;
    let tariff = tariff_meant(&store, &args.tariff_id, args.party.as_ref())?;
    let now = store.now();
    let new = Assignment {
        id: 0,
        party: tariff.party,
        tariff_id: tariff.id,
        place: place_of(args)?,
        buyers: buyers_of(&store, args)?,
        valid_from: args.from,
        valid_to: args.to,
        created: now,
    };
    let accept = args.accept_warnings;
    let (made, naming) = write_and_spread(&store, move |conn| {
        let made = assign(conn, &new, accept, now)?;
        let naming = naming_themselves(conn, &made)?;
        Ok((made, naming))
    })?;
    let made = store.read(move |conn| shown(conn, made))?;
    output.show(&as_json(&made), || text(std::slice::from_ref(&made), ""))?;
    if naming > 0 {
        output.note(&format!(
            "\nNote: {} there in tariff_ids of their own, which goes before what is assigned to less than a \
             connector.",
            if naming == 1 {
                "1 connector names tariffs".to_owned()
            } else {
                format!("{naming} connectors name tariffs")
            }
        ));
    }
    Ok(())
}

fn place_of(args: &AssignArgs) -> Result<Place, Failure> {
    if let Some(connector) = &args.connector {
        return Ok(Place::Connector(connector.clone()));
    }
    if let Some(evse) = &args.evse {
        let parts = evse.split_once('/').filter(|(location, uid)| !location.is_empty() && !uid.is_empty());
        let (location, uid) = parts.ok_or_else(|| {
            Failure::wrong_use("--evse is no location and EVSE").with_remedy("like LOC1/E1")
        })?;
        return Ok(Place::Evse { location_id: location.into(), evse_uid: uid.into() });
    }
    Ok(match (&args.location, &args.group) {
        (Some(location), _) => Place::Location { location_id: CiString::from(location.as_str()) },
        (None, Some(group)) => Place::Group { group: CiString::from(group.as_str()) },
        (None, None) => Place::Party,
    })
}

fn buyers_of(store: &Store, args: &AssignArgs) -> Result<Buyers, Failure> {
    if let Some(name) = args.partner.clone() {
        let partner = store.read(move |conn| partner_named(conn, &name)).map_err(super::failure_of)?;
        return Ok(Buyers::Partner { id: partner.id });
    }
    Ok(match (&args.emsp, &args.token_group) {
        (Some(party), _) => Buyers::Emsp { party: party.clone() },
        (None, Some(group)) => Buyers::TokenGroup { group: CiString::from(group.as_str()) },
        (None, None) => Buyers::Everybody,
    })
}

/// Takes an assignment back; charges that began with it stay priced by it
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  roamwatt tariff unassign 7")]
pub(super) struct UnassignArgs {
    /// Its number, as `roamwatt tariff assignments` shows it
    #[arg(value_name = "ID")]
    id: i64,
}

/// Runs the command.
///
/// # Errors
/// When there is no such assignment.
pub(super) fn run_back(settings: &Settings, output: Output, args: &UnassignArgs) -> Outcome {
    let store = Store::open(settings)?;
    let (id, now) = (args.id, store.now());
    let gone = write_and_spread(&store, move |conn| unassign(conn, id, now))?;
    let gone = gone.ok_or_else(|| {
        Failure::new(format!("there is no assignment {id}"))
            .with_remedy("`roamwatt tariff assignments` shows them")
    })?;
    let gone = store.read(move |conn| shown(conn, gone))?;
    output.show(&as_json(&gone), || {
        format!(
            "assignment {id} of the tariff {} is taken back",
            printable(gone.assignment.tariff_id.as_str())
        )
    })
}
