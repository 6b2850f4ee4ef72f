//! What operators and their tools reach over HTTP.

mod access;
mod limits;
mod objects;
mod openapi;
mod operator;
mod running;
mod tariffs;
mod tls;
