//! Where log lines go: stderr, so that stdout stays for results.

use crate::config::{LogConfig, LogFormat};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Starts logging as configured, for commands that run on. A second call in one process changes nothing.
pub fn start(config: &LogConfig) {
    start_with(config.format, &config.level);
}

/// Starts logging of warnings and worse, for commands that answer and end, unless more was asked for.
pub fn start_quiet(config: &LogConfig) {
    let level = if config.level == "info" { "warn" } else { &config.level };
    start_with(config.format, level);
}

fn start_with(format: LogFormat, level: &str) {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(level))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none());
    let started = match format {
        LogFormat::Pretty => builder.with_target(false).try_init(),
        LogFormat::Json => {
            builder.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
        }
    };
    if started.is_err() {
        tracing::debug!("logging runs already");
    }
}
