//! `roamwatt token`: what drivers identify with.

use super::Settings;
use super::failure::{Failure, Outcome};
use super::output::{Column, Output, facts, printable, table};
use super::party::party_meant;
use super::store::Store;
use crate::db::locations::Owner;
use crate::db::page::Page;
use crate::db::{DbResult, parties, tokens};
use crate::domain::CiString;
use crate::domain::party::{PartyId, Role};
use crate::domain::token::{Token, TokenKey, TokenType, Whitelist};
use crate::roaming::catalogue::{TokenRemoval, put_token, remove_token, set_token_valid};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

/// Adds, lists, blocks and removes tokens: the cards and app users that may charge
#[derive(Debug, Args)]
pub struct TokenArgs {
    #[command(subcommand)]
    command: TokenCommand,
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    Add(AddArgs),
    List(ListArgs),
    Block(BlockArgs),
    Unblock(UnblockArgs),
    Remove(RemoveArgs),
}

/// Adds a token; partners that operate stations are told of it
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt token add --uid 04A2B3C4 --type RFID --contract DE-ABC-C12345678-X
  roamwatt token add --uid u-1 --type APP_USER --contract DE-ABC-C1 --whitelist never")]
pub struct AddArgs {
    /// What the reader reads, at most 36 characters
    #[arg(long)]
    pub uid: String,
    /// RFID, APP_USER, AD_HOC_USER or OTHER
    #[arg(long = "type", value_name = "TYPE", default_value = "RFID", value_parser = parse_type)]
    pub token_type: TokenType,
    /// Contract id (eMAID), at most 36 characters
    #[arg(long)]
    pub contract: String,
    /// The party that has the contract with the driver [default: our only eMSP]
    #[arg(long, value_name = "DE*ABC")]
    pub party: Option<PartyId>,
    /// Company that issued it, as shown to drivers [default: the party's name]
    #[arg(long)]
    pub issuer: Option<String>,
    /// Number printed on the card
    #[arg(long)]
    pub visual_number: Option<String>,
    /// Tokens of one group can stop each other's charges
    #[arg(long)]
    pub group: Option<String>,
    /// Whether an operator asks before each charge: always (never asks), allowed, allowed_offline (asks, and goes
    /// by the list if nobody answers), never (always asks)
    #[arg(long, default_value = "allowed", value_parser = parse_whitelist)]
    pub whitelist: Whitelist,
    /// Language of the driver, two letters (ISO 639-1)
    #[arg(long)]
    pub language: Option<String>,
}

/// Lists tokens
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt token list           our own
  roamwatt token list --all     also those that partners told us of
  roamwatt --json token list --limit 100000")]
pub struct ListArgs {
    /// Also those of partners
    #[arg(long)]
    pub all: bool,
    /// How many to pass over
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..))]
    pub offset: i64,
    /// How many at most
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(i64).range(1..))]
    pub limit: i64,
}

/// Which token is meant.
#[derive(Debug, Args)]
pub struct WhichArgs {
    /// Its uid
    pub uid: String,
    /// Its type, where the uid alone names several
    #[arg(long = "type", value_name = "TYPE", value_parser = parse_type)]
    pub token_type: Option<TokenType>,
    /// Its party, where the uid alone names several
    #[arg(long, value_name = "DE*ABC")]
    pub party: Option<PartyId>,
}

/// Blocks a token: it starts no charge any more, here and at partners
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  roamwatt token block 04A2B3C4")]
pub struct BlockArgs {
    #[command(flatten)]
    which: WhichArgs,
}

/// Takes the block from a token
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  roamwatt token unblock 04A2B3C4")]
pub struct UnblockArgs {
    #[command(flatten)]
    which: WhichArgs,
}

/// Removes a token; where partners hold it, it is blocked instead, since OCPI cannot take it back
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  roamwatt token remove 04A2B3C4")]
pub struct RemoveArgs {
    #[command(flatten)]
    which: WhichArgs,
}

fn parse_type(text: &str) -> Result<TokenType, String> {
    let token_type = TokenType::from(text.to_ascii_uppercase().as_str());
    if token_type.is_known() {
        Ok(token_type)
    } else {
        Err(format!("is none of {}", TokenType::WORDS.join(", ")))
    }
}

fn parse_whitelist(text: &str) -> Result<Whitelist, String> {
    let whitelist = Whitelist::from(text.to_ascii_uppercase().as_str());
    if whitelist.is_known() {
        Ok(whitelist)
    } else {
        Err(format!("is none of {}", Whitelist::WORDS.join(", ").to_lowercase()))
    }
}

/// Runs the command.
///
/// # Errors
/// When the database refuses, or the token is not the one that can be meant.
pub fn run(settings: &Settings, output: Output, args: TokenArgs) -> Outcome {
    match args.command {
        TokenCommand::Add(args) => add(settings, output, args),
        TokenCommand::List(args) => list(settings, output, &args),
        TokenCommand::Block(args) => set_valid(settings, output, &args.which, false),
        TokenCommand::Unblock(args) => set_valid(settings, output, &args.which, true),
        TokenCommand::Remove(args) => remove(settings, output, &args.which),
    }
}

fn add(settings: &Settings, output: Output, args: AddArgs) -> Outcome {
    let AddArgs { uid, token_type, contract, party, issuer, visual_number, group, whitelist, language } =
        args;
    let wrong = |error: crate::domain::ValueError| Failure::wrong_use(error.to_string());
    let uid = CiString::parse("--uid", uid.trim(), 36).map_err(wrong)?;
    let contract_id = CiString::parse("--contract", contract.trim(), 36).map_err(wrong)?;
    let group_id =
        group.map(|group| CiString::parse("--group", group.trim(), 36)).transpose().map_err(wrong)?;
    if language.as_ref().is_some_and(|code| code.len() != 2 || !code.bytes().all(|b| b.is_ascii_alphabetic()))
    {
        return Err(Failure::wrong_use("--language is no code of two letters like de"));
    }
    let store = Store::open(settings)?;
    let owner = party_meant(&store.read(parties::all)?, party.as_ref(), &Role::Emsp)?;
    let token = Token {
        party: owner.id,
        uid,
        token_type,
        contract_id,
        visual_number,
        issuer: issuer.unwrap_or(owner.name),
        group_id,
        valid: true,
        whitelist,
        language,
        default_profile_type: None,
        energy_contract: None,
        last_updated: store.now(),
        extra: Default::default(),
    };
    let (new, clock) = (token.clone(), store.clock.clone());
    let told = store.write(move |conn| -> DbResult<Option<usize>> {
        let now = clock.now();
        let new = Token { last_updated: now, ..new.clone() };
        if tokens::find(conn, &new.key())?.is_some() {
            return Ok(None);
        }
        Ok(Some(put_token(conn, &new, now)?.len()))
    })?;
    let Some(told) = told else {
        return Err(Failure::new(format!(
            "{} {} of {} is there already",
            token.token_type, token.uid, token.party
        ))
        .with_remedy("block it with `token block`, or take it away with `token remove`"));
    };
    output.show(&token_as_json(&token), || shown(&token))?;
    if told > 0 {
        output.note(&format!("{} will be told.", super::output::count(told, "partner")));
    }
    Ok(())
}

fn list(settings: &Settings, output: Output, args: &ListArgs) -> Outcome {
    let store = Store::open(settings)?;
    let owner = if args.all { Owner::Any } else { Owner::Ours };
    let page = Page { offset: args.offset, ..Page::first(args.limit) };
    let slice = store.read(move |conn| tokens::list(conn, &owner, page))?;
    output.show(&slice.items.iter().map(token_as_json).collect::<Vec<_>>(), || {
        let columns = ["UID", "TYPE", "PARTY", "CONTRACT", "VALID", "WHITELIST", "ISSUER"].map(Column::Text);
        let rows = slice.items.iter().map(|token| {
            vec![
                token.uid.to_string(),
                token.token_type.to_string(),
                token.party.to_string(),
                token.contract_id.to_string(),
                if token.valid { "yes" } else { "no" }.to_owned(),
                token.whitelist.to_string(),
                token.issuer.clone(),
            ]
        });
        table(&columns, rows, "no tokens yet; `roamwatt token add --help` shows how to add one")
    })?;
    super::note_of_rest(output, slice.items.len(), slice.total, args.offset);
    Ok(())
}

fn set_valid(settings: &Settings, output: Output, which: &WhichArgs, valid: bool) -> Outcome {
    let store = Store::open(settings)?;
    let key = meant(&store, which)?;
    let clock = store.clock.clone();
    let token = store.write(move |conn| set_token_valid(conn, &key, valid, clock.now()))?;
    let token = token.ok_or_else(|| unknown(which))?;
    output.show(&token_as_json(&token), || {
        format!(
            "{} {} is {}",
            token.token_type,
            printable(token.uid.as_str()),
            if valid { "valid" } else { "blocked" }
        )
    })
}

fn remove(settings: &Settings, output: Output, which: &WhichArgs) -> Outcome {
    let store = Store::open(settings)?;
    let key = meant(&store, which)?;
    let name = format!("{} {}", key.token_type, printable(key.uid.as_str()));
    let clock = store.clock.clone();
    let text = match store.write(move |conn| remove_token(conn, &key, clock.now()))? {
        TokenRemoval::Unknown => return Err(unknown(which)),
        TokenRemoval::Removed => ("removed", format!("{name} is removed")),
        TokenRemoval::Blocked => {
            ("blocked", format!("{name} is blocked for good: partners hold it and are told so"))
        }
    };
    output.show(&json!({ "result": text.0 }), || text.1)
}

fn meant(store: &Store, which: &WhichArgs) -> Result<TokenKey, Failure> {
    let uid = CiString::from(which.uid.as_str());
    let mut found = store.read(move |conn| tokens::ours_by_uid(conn, &uid))?;
    found.retain(|token| which.token_type.as_ref().is_none_or(|wanted| *wanted == token.token_type));
    found.retain(|token| which.party.as_ref().is_none_or(|wanted| *wanted == token.party));
    match found.as_slice() {
        [token] => Ok(token.key()),
        [] => Err(unknown(which)),
        several => {
            let names: Vec<_> = several.iter().map(|t| format!("{} of {}", t.token_type, t.party)).collect();
            Err(Failure::wrong_use(format!("several tokens have that uid: {}", names.join(", ")))
                .with_remedy("name one with --type and --party"))
        }
    }
}

fn unknown(which: &WhichArgs) -> Failure {
    Failure::new(format!("there is no token {} of ours", printable(&which.uid)))
        .with_remedy("`roamwatt token list` shows them; a partner's token only the partner can change")
}

fn shown(token: &Token) -> String {
    facts(&[
        ("token", format!("{} {}", token.token_type, token.uid)),
        ("contract", token.contract_id.to_string()),
        ("party", token.party.to_string()),
        ("issuer", token.issuer.clone()),
    ])
}

fn token_as_json(token: &Token) -> Value {
    json!({
        "country_code": token.party.country_code(),
        "party_id": token.party.party_id(),
        "uid": token.uid,
        "type": token.token_type,
        "contract_id": token.contract_id,
        "visual_number": token.visual_number,
        "issuer": token.issuer,
        "group_id": token.group_id,
        "valid": token.valid,
        "whitelist": token.whitelist,
        "language": token.language,
        "last_updated": token.last_updated,
    })
}
