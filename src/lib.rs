//! Roamwatt: an open-source charging backend and eRoaming hub.
//!
//! A charging station talks OCPP to it, a roaming partner OCPI, an operator HTTP. Everything in between is one
//! domain that knows neither protocol:
//!
//! - [`domain`] is what charging is about, [`pricing`] what it costs; neither does any I/O;
//! - [`db`] is the only place with SQL;
//! - [`load`] shares a grid connection between cars, and does no I/O either; [`energy`] runs it;
//! - [`charging`] and [`roaming`] are the use cases, [`driver`] those of drivers, [`payments`] that of drivers without
//!   a contract, [`receipts`] what they get for their money, [`finance`] the exports;
//! - [`search`] finds where one can charge, in memory and without any I/O;
//! - [`ocpi`], [`ocpp`], [`web`], [`jobs`] and [`cli`] are the edges: they import use cases, never each other;
//! - [`simulate`] is the other end of the stations' sockets: simulated stations, for demo, tests and load;
//! - [`app`] holds the handles that every edge needs.
//!
//! `docs/architecture.md` tells the way of a meter value through it.

pub mod app;
pub mod charging;
pub mod cli;
pub mod clock;
pub mod config;
pub mod db;
pub mod domain;
pub mod driver;
pub mod energy;
pub mod finance;
pub mod http;
pub mod jobs;
pub mod load;
pub mod metrics;
pub mod node;
pub mod ocpi;
pub mod ocpp;
pub mod paper;
pub mod payments;
pub mod pricing;
pub mod receipts;
pub mod roaming;
pub mod search;
pub mod security;
pub mod simulate;
pub mod web;
