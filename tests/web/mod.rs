//! What operators and their tools reach over HTTP.

mod access;
mod cdr_checks;
mod exports;
mod limits;
pub(crate) mod load;
mod load_kept;
mod objects;
mod openapi;
pub(crate) mod operator;
mod pricing;
mod running;
mod tariffs;
mod tls;
