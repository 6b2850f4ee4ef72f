//! Load management: sites, rows, the solver.

mod acn;
mod bad_input;
mod checker;
mod fair;
mod fallbacks;
mod generate;
mod known;
mod safe;
mod sites;
mod times;
