//! `roamwatt payments merchant`: which of our parties sell ad hoc, what their receipts say, and where the money goes.

use crate::cli::Settings;
use crate::cli::failure::{Failure, Outcome};
use crate::cli::output::{Column, Output, facts, table};
use crate::cli::store::Store;
use crate::db::{DbResult, parties, payment_merchants};
use crate::domain::party::PartyId;
use crate::domain::payment::Merchant;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

/// Sets and lists the parties that sell to drivers without a contract
#[derive(Debug, Args)]
pub(super) struct MerchantArgs {
    #[command(subcommand)]
    command: MerchantCommand,
}

#[derive(Debug, Subcommand)]
enum MerchantCommand {
    Set(SetArgs),
    List(ListArgs),
}

/// Lets a party sell, or changes what its receipts say
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt payments merchant set DE*ABC --name \"ABC Charging GmbH\" --address \"Weg 1, 10115 Berlin\"
  roamwatt payments merchant set DE*ABC --name \"ABC AG\" --address \"Weg 1\" --tax-id DE123456789
  roamwatt payments merchant set DE*DEF --name \"DEF AG\" --address \"Weg 2\" --account acct_1Abc")]
struct SetArgs {
    /// The party, like DE*ABC
    party: PartyId,
    /// Its full name with its legal form, as receipts must show it
    #[arg(long)]
    name: String,
    /// A line of its full address; give several
    #[arg(long = "address", required = true)]
    address: Vec<String>,
    /// Its VAT or tax number
    #[arg(long)]
    tax_id: Option<String>,
    /// Its connected account at the payment provider [default: the account of the configured key]
    #[arg(long, value_parser = parse_account)]
    account: Option<String>,
}

/// Lists the parties that sell
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  roamwatt payments merchant list")]
struct ListArgs {}

fn parse_account(text: &str) -> Result<String, String> {
    let good = text.strip_prefix("acct_").is_some_and(|rest| {
        !rest.is_empty() && rest.len() <= 100 && rest.bytes().all(|letter| letter.is_ascii_alphanumeric())
    });
    if good { Ok(text.to_owned()) } else { Err("is no account like acct_1Abc".to_owned()) }
}

pub(super) fn run(settings: &Settings, output: Output, args: MerchantArgs) -> Outcome {
    match args.command {
        MerchantCommand::Set(args) => set(settings, output, args),
        MerchantCommand::List(_) => list(settings, output),
    }
}

fn set(settings: &Settings, output: Output, args: SetArgs) -> Outcome {
    let SetArgs { party, name, address, tax_id, account } = args;
    let trimmed = |text: &String| text.trim().to_owned();
    let merchant = Merchant {
        name: trimmed(&name),
        address: address.iter().map(trimmed).filter(|line| !line.is_empty()).collect(),
        tax_id: tax_id.as_ref().map(trimmed).filter(|text| !text.is_empty()),
        account,
    };
    if merchant.name.is_empty() || merchant.address.is_empty() {
        return Err(Failure::wrong_use("--name or --address is empty")
            .with_remedy("a receipt must show the full name and address of who sells"));
    }
    let store = Store::open(settings)?;
    let (id, new) = (party.clone(), merchant.clone());
    let ours = store.write(move |conn| -> DbResult<bool> {
        if parties::find(conn, &id)?.is_none() {
            return Ok(false);
        }
        payment_merchants::put(conn, &id, &new)?;
        Ok(true)
    })?;
    if !ours {
        return Err(Failure::new(format!("{party} is none of our parties"))
            .with_remedy("`roamwatt party list` shows them"));
    }
    output.show(&as_json(&party, &merchant), || {
        facts(&[
            ("party", party.to_string()),
            ("name", merchant.name.clone()),
            ("address", merchant.address.join(", ")),
            ("tax id", merchant.tax_id.clone().unwrap_or_else(|| "-".to_owned())),
            ("account", merchant.account.clone().unwrap_or_else(|| "that of the configured key".to_owned())),
        ])
    })
}

fn list(settings: &Settings, output: Output) -> Outcome {
    let store = Store::open(settings)?;
    let all = store.read(payment_merchants::all)?;
    output.show(&all.iter().map(|(party, merchant)| as_json(party, merchant)).collect::<Vec<_>>(), || {
        let columns = [
            Column::Text("PARTY"),
            Column::Text("NAME"),
            Column::Text("ADDRESS"),
            Column::Text("TAX ID"),
            Column::Text("ACCOUNT"),
        ];
        let rows = all.iter().map(|(party, merchant)| {
            vec![
                party.to_string(),
                merchant.name.clone(),
                merchant.address.join(", "),
                merchant.tax_id.clone().unwrap_or_default(),
                merchant.account.clone().unwrap_or_default(),
            ]
        });
        table(&columns, rows, "nobody sells; `roamwatt payments merchant set --help` shows how to begin")
    })
}

fn as_json(party: &PartyId, merchant: &Merchant) -> Value {
    json!({
        "party": party.to_string(),
        "name": merchant.name,
        "address": merchant.address,
        "tax_id": merchant.tax_id,
        "account": merchant.account,
    })
}
