//! What the versions of OCPI that both engines read can say.

/// A version of OCPI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Version {
    #[value(name = "2.1.1")]
    V211,
    #[value(name = "2.2.1")]
    V221,
}

impl Version {
    /// Whether price components tell VAT.
    pub(crate) fn has_vat(self) -> bool {
        self == Self::V221
    }

    /// Whether tariffs have `min_price` and `max_price`.
    pub(crate) fn has_bounds(self) -> bool {
        self == Self::V221
    }

    /// Whether elements are restricted by the current.
    pub(crate) fn has_current(self) -> bool {
        self == Self::V221
    }

    /// Whether elements price reservations.
    pub(crate) fn has_reservations(self) -> bool {
        self == Self::V221
    }

    /// Whether periods tell power.
    pub(crate) fn has_power(self) -> bool {
        self == Self::V221
    }
}
