//! What operators and their tools reach over HTTP.

mod limits;
mod running;
