//! The configuration: one struct per section, read from the command line, the environment, the operator's file
//! and `config/default.toml`, in this order.
//!
//! A setting is added in three places: `config/default.toml` with its comment, the section's struct, and the
//! struct's `read`. Tests fail on a setting that one of them lacks.

mod charging_sections;
mod driver_section;
pub mod key_file;
mod layers;
mod load_section;
mod mail_section;
mod map_section;
mod payments_section;
mod problem;
mod reader;
mod secret;
mod sections;
mod sources;
#[cfg(test)]
mod tests;
mod values;

pub use charging_sections::{
    ChargingConfig, OcppConfig, PricingConfig, RoamingConfig, Rounding, WrappedDays,
};
pub use driver_section::DriverConfig;
pub use layers::{DEFAULT_TOML, Place, variable_of};
pub use load_section::LoadConfig;
pub use mail_section::MailConfig;
pub use map_section::MapConfig;
pub use payments_section::{Hold, PaymentsConfig, ProviderName};
pub use problem::{ConfigErrors, Problem};
pub use secret::{Secret, SecretKey};
pub use sections::{
    DatabaseConfig, LimitsConfig, LogConfig, LogFormat, MetricsConfig, SecurityConfig, ServerConfig, TlsFiles,
};
pub use sources::{DATABASE_URL_LONG, DATABASE_URL_SHORT, DEFAULT_FILE, FILE_VARIABLE, Flag, Sources};
pub use values::{DatabaseUrl, parse_duration, parse_size, show_duration};

use layers::Layers;
use reader::Reader;

/// Everything that can be set. `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where and how this node listens.
    pub server: ServerConfig,
    /// Where the data is.
    pub database: DatabaseConfig,
    /// Keys and lifetimes.
    pub security: SecurityConfig,
    /// How stations are talked to.
    pub ocpp: OcppConfig,
    /// The life of a charge.
    pub charging: ChargingConfig,
    /// How amounts are made.
    pub pricing: PricingConfig,
    /// How grid connections are shared.
    pub load: LoadConfig,
    /// How receipts are sent.
    pub mail: MailConfig,
    /// The public map.
    pub map: MapConfig,
    /// How drivers without a contract pay.
    pub payments: PaymentsConfig,
    /// How partners are talked to.
    pub roaming: RoamingConfig,
    /// What drivers' apps get.
    pub driver: DriverConfig,
    /// How much one side may ask.
    pub limits: LimitsConfig,
    /// What is logged and how.
    pub log: LogConfig,
    /// What is measured.
    pub metrics: MetricsConfig,
}

impl Config {
    /// Reads the configuration.
    ///
    /// # Errors
    /// With everything that is wrong, when anything is.
    pub fn load(sources: &Sources) -> Result<Self, ConfigErrors> {
        let (config, problems, _) = Self::assemble(sources);
        if problems.is_empty() { Ok(config) } else { Err(ConfigErrors(problems)) }
    }

    /// The configuration, its problems, and the settings of the defaults that nothing reads.
    fn assemble(sources: &Sources) -> (Self, Vec<Problem>, Vec<String>) {
        let mut reader = Reader::new(Layers::lay(sources));
        let config = Self {
            server: ServerConfig::read(reader.section("server")),
            database: DatabaseConfig::read(reader.section("database")),
            security: SecurityConfig::read(reader.section("security")),
            ocpp: OcppConfig::read(reader.section("ocpp")),
            charging: ChargingConfig::read(reader.section("charging")),
            pricing: PricingConfig::read(reader.section("pricing")),
            load: LoadConfig::read(reader.section("load")),
            mail: MailConfig::read(reader.section("mail")),
            map: MapConfig::read(reader.section("map")),
            payments: PaymentsConfig::read(reader.section("payments")),
            roaming: RoamingConfig::read(reader.section("roaming")),
            driver: DriverConfig::read(reader.section("driver")),
            limits: LimitsConfig::read(reader.section("limits")),
            log: LogConfig::read(reader.section("log")),
            metrics: MetricsConfig::read(reader.section("metrics")),
        };
        let (problems, unread) = reader.finish();
        (config, problems, unread)
    }
}

impl Default for Config {
    /// What `config/default.toml` says.
    fn default() -> Self {
        Self::assemble(&Sources::default()).0
    }
}
