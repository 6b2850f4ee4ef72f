//! The questions that the two engines answer differently. Each is a class of differences.

/// One question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Question {
    /// Ours reads the length of a period from its times, theirs from the volume of TIME or PARKING_TIME.
    Length,
    /// Ours rounds up what is billed, theirs everything that was used.
    StepOfFree,
    /// Ours takes a step of 0 for 1, theirs for no rounding at all.
    StepZero,
    /// Ours passes over components by which nothing was used, theirs takes the step and price of the last.
    StepOfNothing,
    /// Ours rounds nothing where more was fed back than charged, theirs rounds towards charging.
    StepOfFeedback,
    /// Ours rounds charging time up unless parking is billed, theirs not even when no time was parked.
    ParkingOfNoLength,
    /// Ours bounds the total before and after VAT each on its own, theirs asks only before VAT.
    BoundByNet,
    /// Ours passes over a maximum after VAT where no VAT applies, theirs takes it for the total.
    BoundOfUntaxed,
    /// Ours changes the gross total along where a bound has none, theirs leaves it out.
    BoundWithoutGross,
    /// Ours bounds every session, theirs only one in which something has a price.
    BoundOfNothing,
    /// Ours takes an end of 00:00 for the end of the day also without a start or with 00:00 as the start, theirs
    /// never matches.
    EndAtMidnight,
    /// Ours asks for the day on which a window over midnight began, theirs for the day of the moment.
    DayOfWindow,
    /// Where a period does not tell power or current, ours computes the mean power and matches no current; theirs
    /// matches.
    UnknownPower,
    /// Of a period in which power or current varies, ours wants all of it within the restriction, theirs some.
    PowerRange,
    /// Ours prices reservations; theirs takes their elements for ordinary ones, and their time for nothing.
    Reservation,
    /// Where energy is fed back at a threshold, ours asks where it goes, theirs where it starts.
    FallingEnergy,
    /// Ours prices each period by the tariff that it names, theirs all by the first.
    OneTariff,
    /// Ours leaves the time of a reservation out of the duration of the session, theirs counts it.
    TimeOfReservation,
}

impl Question {
    /// All of them.
    pub(crate) const ALL: [Self; 18] = [
        Self::Length,
        Self::StepOfFree,
        Self::StepZero,
        Self::StepOfNothing,
        Self::StepOfFeedback,
        Self::ParkingOfNoLength,
        Self::BoundByNet,
        Self::BoundOfUntaxed,
        Self::BoundWithoutGross,
        Self::BoundOfNothing,
        Self::EndAtMidnight,
        Self::DayOfWindow,
        Self::UnknownPower,
        Self::PowerRange,
        Self::Reservation,
        Self::FallingEnergy,
        Self::OneTariff,
        Self::TimeOfReservation,
    ];

    /// For tables and files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Length => "length-by-volume",
            Self::StepOfFree => "step-of-free-use",
            Self::StepZero => "step-zero",
            Self::StepOfNothing => "step-of-no-use",
            Self::StepOfFeedback => "step-of-feedback",
            Self::ParkingOfNoLength => "parking-of-no-length",
            Self::BoundByNet => "bound-by-net",
            Self::BoundOfUntaxed => "bound-of-untaxed",
            Self::BoundWithoutGross => "bound-without-gross",
            Self::BoundOfNothing => "bound-of-nothing",
            Self::EndAtMidnight => "end-at-midnight",
            Self::DayOfWindow => "day-of-window",
            Self::UnknownPower => "unknown-power",
            Self::PowerRange => "power-range",
            Self::Reservation => "reservation",
            Self::FallingEnergy => "falling-energy",
            Self::OneTariff => "one-tariff",
            Self::TimeOfReservation => "time-of-reservation",
        }
    }

    fn bit(self) -> u32 {
        Self::ALL.iter().position(|one| *one == self).map_or(0, |at| 1 << at)
    }
}

/// Which questions are answered as the other engine does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules(u32);

impl Rules {
    /// Every question as ours does.
    pub(crate) const OURS: Self = Self(0);

    /// Every question as the other engine does.
    pub(crate) fn theirs() -> Self {
        Self(Question::ALL.iter().map(|one| one.bit()).sum())
    }

    /// Whether this one is answered as the other engine does.
    pub(crate) fn foreign(self, question: Question) -> bool {
        self.0 & question.bit() != 0
    }

    /// The same with one more question answered as ours does.
    pub(crate) fn but_ours(self, question: Question) -> Self {
        Self(self.0 & !question.bit())
    }
}
