//! `roamwatt tariff show`.

use super::assignments::{Shown, all_shown, as_json};
use super::tariff_meant;
use crate::cli::Settings;
use crate::cli::failure::Outcome;
use crate::cli::output::{Column, Output, facts, table};
use crate::cli::store::Store;
use crate::domain::party::PartyId;
use crate::domain::tariff::{Price, Tariff};
use crate::ocpi::v2_2_1::tariffs::wire;
use crate::pricing::pricing_warnings;
use clap::Args;
use serde_json::json;

/// Shows a tariff of ours: its prices, what in it has no effect, where it is assigned
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt tariff show DAY
  roamwatt --json tariff show DAY     the tariff as OCPI 2.2.1 writes it")]
pub(super) struct ShowArgs {
    /// Its id
    #[arg(value_name = "TARIFF_ID")]
    id: String,
    /// Its party, where the id alone names several
    #[arg(long, value_name = "DE*ABC")]
    party: Option<PartyId>,
}

/// Runs the command.
///
/// # Errors
/// When there is no such tariff.
pub(super) fn run(settings: &Settings, output: Output, args: &ShowArgs) -> Outcome {
    let store = Store::open(settings)?;
    let tariff = tariff_meant(&store, &args.id, args.party.as_ref())?;
    let mut assigned = store.read(all_shown)?;
    assigned
        .retain(|shown| shown.assignment.party == tariff.party && shown.assignment.tariff_id == tariff.id);
    let document = json!({
        "tariff": wire::Tariff::from(tariff.clone()),
        "warnings": pricing_warnings(&tariff),
        "assignments": assigned.iter().map(as_json).collect::<Vec<_>>(),
    });
    output.show(&document, || text(&tariff, &assigned))
}

fn text(tariff: &Tariff, assigned: &[Shown]) -> String {
    let price = |price: &Option<Price>| {
        price.as_ref().map(|price| match &price.incl_vat {
            Some(incl_vat) => format!("{} ({incl_vat} with VAT)", price.excl_vat),
            None => price.excl_vat.to_string(),
        })
    };
    let mut known = vec![
        ("tariff", tariff.id.to_string()),
        ("party", tariff.party.to_string()),
        ("currency", tariff.currency.clone()),
    ];
    let tariff_type = tariff.tariff_type.as_ref().map(ToString::to_string);
    let some = [
        ("type", tariff_type),
        ("from", tariff.start_date_time.map(|at| at.to_string())),
        ("to", tariff.end_date_time.map(|at| at.to_string())),
        ("at least", price(&tariff.min_price)),
        ("at most", price(&tariff.max_price)),
    ];
    known.extend(some.into_iter().filter_map(|(name, value)| Some((name, value?))));
    let mut parts = vec![facts(&known), prices(tariff)];
    let warnings = pricing_warnings(tariff);
    if !warnings.is_empty() {
        let lines: Vec<String> = warnings.iter().map(|warning| format!("  {warning}")).collect();
        parts.push(format!("Without effect:\n{}", lines.join("\n")));
    }
    parts.push(super::assignments::text(assigned, "assigned nowhere; `roamwatt tariff assign` does it"));
    parts.join("\n\n")
}

fn prices(tariff: &Tariff) -> String {
    let columns = [
        Column::Text("ELEMENT"),
        Column::Text("FOR"),
        Column::Number("PRICE"),
        Column::Number("VAT %"),
        Column::Number("STEP"),
        Column::Text("RESTRICTED"),
    ];
    let rows = tariff.elements.iter().zip(1usize..).flat_map(|(element, number)| {
        element.price_components.iter().map(move |component| {
            vec![
                number.to_string(),
                component.dimension.to_string(),
                component.price.to_string(),
                component.vat.map(|vat| vat.to_string()).unwrap_or_default(),
                component.step_size.to_string(),
                if element.restrictions.is_some() { "yes" } else { "no" }.to_owned(),
            ]
        })
    });
    table(&columns, rows, "no prices")
}
