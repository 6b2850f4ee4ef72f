//! What an OCPI class looks like, as data: one table per class says each field's name, kind, length and
//! cardinality, straight from the specification's tables.
//!
//! From that one table come three things: what can be understood is put right before it is read (and noted),
//! what breaks a rule but can be used is reported as a violation, and what cannot be understood is an error
//! with its JSON path. Fields that no table names are left alone.

/// What a class of the specification looks like.
#[derive(Debug)]
pub struct Class {
    /// Its name in the specification.
    pub name: &'static str,
    /// Its fields.
    pub fields: &'static [Field],
}

/// One field of a class.
#[derive(Debug)]
pub struct Field {
    /// Its name on the wire.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// How often.
    pub card: Card,
}

/// How often a field occurs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Card {
    /// `1`.
    One,
    /// `1` by the specification, yet an object without it can be used: missing is a violation, not an error.
    /// (The specification's own examples leave such fields out.)
    OneButTolerated,
    /// `?`.
    Optional,
    /// `*`: a list that may be missing or empty.
    Many,
    /// `+`: a list of at least one; missing is an error.
    AtLeastOne,
    /// `+` by the specification, yet an object without it can be used: missing or empty is a violation.
    AtLeastOneButTolerated,
}

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// `string(n)`.
    Text(usize),
    /// `CiString(n)`: printable ASCII.
    CiText(usize),
    /// `CiString(n)` by which an object is found, so it must not be empty.
    Key(usize),
    /// `CiString(2)`, an ISO 3166-1 alpha-2 code, read in upper case.
    Country,
    /// `CiString(3)`, the id of a party, read in upper case.
    Party,
    /// `URL`, i.e. `string(255)`.
    Url,
    /// A local time of day, `HH:MM`.
    TimeOfDay,
    /// A time zone by its IANA name.
    TimeZone,
    /// `boolean`.
    Bool,
    /// `int`, not below the number.
    Int(i64),
    /// `number`.
    Number,
    /// `DateTime`.
    Time,
    /// An enumeration with these words; others are kept.
    Word(&'static [&'static str]),
    /// An object.
    Object(&'static Class),
    /// An object; anything else that stands there is kept as it came and has no effect.
    ObjectOrKept(&'static Class),
}

/// `1`.
#[must_use]
pub const fn one(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, card: Card::One }
}

/// `1`, but an object without it can be used.
#[must_use]
pub const fn tolerated(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, card: Card::OneButTolerated }
}

/// `?`.
#[must_use]
pub const fn optional(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, card: Card::Optional }
}

/// `*`.
#[must_use]
pub const fn many(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, card: Card::Many }
}

/// `+`.
#[must_use]
pub const fn some(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, card: Card::AtLeastOne }
}

/// `+`, but an object without it can be used.
#[must_use]
pub const fn some_tolerated(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, card: Card::AtLeastOneButTolerated }
}
