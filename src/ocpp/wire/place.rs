//! Where something stands in a payload, and what can be wrong with it there.

use crate::ocpp::frame::ErrorCode;
use std::fmt;

/// How many violations of one message are kept; a message with thousands tells no more than one with these.
const VIOLATIONS_KEPT: usize = 20;

/// Where in a payload a value stands, as a chain on the stack: it becomes text only when it is needed.
#[derive(Debug, Clone, Copy)]
pub struct Place<'p> {
    parent: Option<&'p Place<'p>>,
    step: Step<'p>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'p> {
    Root,
    Name(&'p str),
    Index(usize),
}

impl Place<'static> {
    /// The payload itself.
    pub const ROOT: Self = Self { parent: None, step: Step::Root };
}

impl<'p> Place<'p> {
    /// A property of the object here.
    #[must_use]
    pub fn name(&'p self, name: &'p str) -> Self {
        Self { parent: Some(self), step: Step::Name(name) }
    }

    /// An element of the list here.
    #[must_use]
    pub fn index(&'p self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Index(index) }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Root => f.write_str("$"),
            Step::Name(name) => write!(f, ".{name}"),
            Step::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// Why a payload cannot be understood: becomes a CALLERROR.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub struct Fault {
    /// For the CALLERROR.
    pub code: ErrorCode,
    /// JSON path within the payload, `$` is the payload itself.
    pub path: String,
    /// What was found and what would be right.
    pub reason: String,
}

impl Fault {
    /// A property that must be there is not, or a list has too few elements.
    #[must_use]
    pub fn occurence(place: &Place<'_>, reason: impl Into<String>) -> Self {
        Self::new(ErrorCode::OccurenceConstraintViolation, place, reason)
    }

    /// A value of the wrong JSON type.
    #[must_use]
    pub fn wrong_type(place: &Place<'_>, reason: impl Into<String>) -> Self {
        Self::new(ErrorCode::TypeConstraintViolation, place, reason)
    }

    /// A value that breaks a rule.
    #[must_use]
    pub fn property(place: &Place<'_>, reason: impl Into<String>) -> Self {
        Self::new(ErrorCode::PropertyConstraintViolation, place, reason)
    }

    /// Not the structure of the message.
    #[must_use]
    pub fn formation(place: &Place<'_>, reason: impl Into<String>) -> Self {
        Self::new(ErrorCode::FormationViolation, place, reason)
    }

    fn new(code: ErrorCode, place: &Place<'_>, reason: impl Into<String>) -> Self {
        Self { code, path: place.to_string(), reason: reason.into() }
    }
}

/// What kind of thing the other side did against the specification; the words are labels to count by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ViolationKind {
    /// A text longer than allowed, taken whole.
    TooLong,
    /// A word that the version does not have, kept.
    UnknownWord,
    /// A time without a zone or otherwise not RFC 3339, taken as UTC.
    TimeForm,
    /// A number in quotes, with decimals where none are allowed, or with too many.
    NumberForm,
    /// Something else where a text belongs, taken as its text.
    TextForm,
    /// `null` for a property that may be left out.
    NullValue,
    /// A property that the message does not have, ignored.
    ExtraProperty,
    /// A list that must not be empty.
    EmptyList,
    /// A measured value that says nothing, left out.
    BadMeasurement,
    /// A frame with more or fewer elements than its kind has.
    FrameForm,
}

impl ViolationKind {
    /// The label to count by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::UnknownWord => "unknown_word",
            Self::TimeForm => "time_form",
            Self::NumberForm => "number_form",
            Self::TextForm => "text_form",
            Self::NullValue => "null_value",
            Self::ExtraProperty => "extra_property",
            Self::EmptyList => "empty_list",
            Self::BadMeasurement => "bad_measurement",
            Self::FrameForm => "frame_form",
        }
    }
}

/// Something that was not as specified, and was taken all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// What kind of thing.
    pub kind: ViolationKind,
    /// JSON path within the payload (or the frame, for its id).
    pub path: String,
    /// What would have been right.
    pub wanted: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.kind.as_str(), self.path, self.wanted)
    }
}

/// The violations of one message, at most twenty.
#[derive(Debug, Default)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// Notes one.
    pub fn add(&mut self, kind: ViolationKind, place: &Place<'_>, wanted: impl Into<String>) {
        if self.0.len() < VIOLATIONS_KEPT {
            self.0.push(Violation { kind, path: place.to_string(), wanted: wanted.into() });
        }
    }

    /// All that were noted.
    #[must_use]
    pub fn into_vec(self) -> Vec<Violation> {
        self.0
    }
}
