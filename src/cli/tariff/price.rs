//! `roamwatt tariff price`: what a charge would cost.

use crate::cli::document::TariffFile;
use crate::cli::pricing::{LanguageArg, ZoneArg, show};
use crate::cli::{Failure, Outcome, Output};
use crate::domain::{Kwh, Timestamp};
use crate::pricing::report::PriceReport;
use crate::pricing::{Finding, PricingPolicy, SimulatedCharge, Tariffs};
use clap::Args;
use rust_decimal::Decimal;

/// Prices a simulated charge: at full power until the energy is there, then parked until the end
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  roamwatt tariff price t.json --from 2026-01-14T15:00:00Z --to 2026-01-14T17:30:00Z --energy-kwh 40 --max-power-kw 24
  roamwatt tariff price t.json --from 2026-01-14T16:00:00+01:00 --to 2026-01-14T19:00:00+01:00 --energy-kwh 40 --max-power-kw 24 --timezone Europe/Berlin --json")]
pub(super) struct PriceArgs {
    #[command(flatten)]
    file: TariffFile,
    /// When the car is plugged in (RFC 3339; without an offset it is UTC)
    #[arg(long, value_name = "TIME")]
    from: Timestamp,
    /// When it is unplugged
    #[arg(long, value_name = "TIME")]
    to: Timestamp,
    /// Energy that the car takes
    #[arg(long, value_name = "KWH")]
    energy_kwh: Kwh,
    /// Power at which it takes it
    #[arg(long, value_name = "KW")]
    max_power_kw: Decimal,
    /// Current at which it takes it, A over all phases, for tariffs with restrictions on the current
    #[arg(long, value_name = "A")]
    max_current_a: Option<Decimal>,
    #[command(flatten)]
    zone: ZoneArg,
    #[command(flatten)]
    language: LanguageArg,
}

pub(super) fn run(output: Output, args: &PriceArgs) -> Outcome {
    let tariff = args.file.read()?;
    let policy = PricingPolicy::default();
    let tariffs = Tariffs::new([&tariff.value], policy)?;
    let charge = SimulatedCharge {
        from: args.from,
        to: args.to,
        energy: args.energy_kwh,
        power_kw: args.max_power_kw,
        current_a: args.max_current_a,
    };
    let zone = args.zone.or_utc();
    let running = charge.price(&tariffs, zone).map_err(|error| Failure::new(error.to_string()))?;
    let mut report =
        PriceReport::new(running.explain(&tariffs)?, zone, &policy)?.with_warnings(tariff.warnings);
    if args.zone.timezone.is_none() && tariffs.look_at_the_clock() {
        report = report.with_warnings([Finding::new(
            "$",
            "the tariff looks at the local time: UTC is taken; name the zone with --timezone",
        )]);
    }
    show(output, &report, args.language.language)
}
