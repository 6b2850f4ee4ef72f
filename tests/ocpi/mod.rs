//! OCPI: what partners send and get.

mod examples;
