//! OCPP, as stations see it.

mod schemas;
