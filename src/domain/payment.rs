//! Ad hoc payments: somebody without contract pays for one charge. What a payment is, in which state it stands, and
//! from which state it may come into which.

use super::values::{Money, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Declares an enumeration whose words are ours: what the database and the operator API say.
macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vmeta])* #[doc = concat!("`", $word, "`")] #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// Reads the word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// Where a payment stands. The way of one that goes well: created, authorised, start_sent, charging, priced,
    /// capturing, captured. All others are exits, but for `releasing`, which leads to one.
    pub enum PaymentState {
        /// The driver was shown the price; no money is held.
        Created = "created",
        /// The amount is held on the driver's card; the station was not asked yet.
        Authorised = "authorised",
        /// The station is asked to start; the driver plugs in.
        StartSent = "start_sent",
        /// The charge goes on, or has stopped and its CDR is awaited.
        Charging = "charging",
        /// The CDR is written: what is due is known.
        Priced = "priced",
        /// The provider is asked to take what is due.
        Capturing = "capturing",
        /// What was due was taken, at most what was held.
        Captured = "captured",
        /// The hold is being given back.
        Releasing = "releasing",
        /// Ended without taking anything, as the driver or an operator wished, or since nothing was due.
        Cancelled = "cancelled",
        /// Ended without taking anything, since nobody paid or plugged in in time.
        Expired = "expired",
        /// All that was taken was given back.
        Refunded = "refunded",
        /// Ended without taking anything, since something went wrong.
        Failed = "failed",
        /// The driver's bank took the money back, or asks whether it may.
        Disputed = "disputed",
    }
}

impl PaymentState {
    /// Whether a payment may come from this state into another one. Staying is no move.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        use PaymentState::{
            Authorised, Cancelled, Captured, Capturing, Charging, Created, Disputed, Expired, Failed, Priced,
            Refunded, Releasing, StartSent,
        };
        match self {
            Created => matches!(next, Authorised | Releasing | Cancelled | Expired | Failed),
            Authorised => matches!(next, StartSent | Releasing),
            StartSent => matches!(next, Charging | Releasing),
            Charging => matches!(next, Priced | Releasing),
            Priced => matches!(next, Capturing | Releasing),
            // The hold may have lapsed; then nothing can be taken any more. An amount may be too small to be taken.
            Capturing => matches!(next, Captured | Failed | Releasing),
            // What cannot be released since it was taken meanwhile is refunded.
            Releasing => matches!(next, Cancelled | Expired | Failed | Refunded),
            Captured => matches!(next, Refunded | Disputed),
            // A dispute that was won leaves the money where it is.
            Disputed => matches!(next, Captured | Refunded),
            // The bank may send a refund back, and a terminal may say late that it took the money.
            Refunded | Failed => matches!(next, Captured),
            Cancelled | Expired => false,
        }
    }

    /// Whether the payment keeps its EVSE from others: the driver may charge there, or does.
    #[must_use]
    pub fn holds_place(self) -> bool {
        matches!(self, Self::Authorised | Self::StartSent | Self::Charging)
    }

    /// Whether money may be held on the driver's card now, as far as we know.
    #[must_use]
    pub fn may_hold_money(self) -> bool {
        matches!(
            self,
            Self::Authorised
                | Self::StartSent
                | Self::Charging
                | Self::Priced
                | Self::Capturing
                | Self::Releasing
        )
    }

    /// Whether nothing happens any more by itself.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(
            self,
            Self::Captured | Self::Cancelled | Self::Expired | Self::Refunded | Self::Failed | Self::Disputed
        )
    }

    /// Moves on.
    ///
    /// # Errors
    /// When that is no move from here; nothing was changed then.
    pub fn move_to(&mut self, next: Self) -> Result<(), IllegalMove> {
        if !self.may_become(next) {
            return Err(IllegalMove { from: *self, to: next });
        }
        *self = next;
        Ok(())
    }
}

/// A move that a payment cannot make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a payment that is {from} cannot become {to}")]
pub struct IllegalMove {
    /// Where it stands.
    pub from: PaymentState,
    /// Where it was to go.
    pub to: PaymentState,
}

words! {
    /// Why a payment stands where it stands, for people: pages have a sentence for each.
    pub enum PaymentReason {
        /// The bank declined the card. Another card may do.
        Declined = "declined",
        /// The driver did not confirm with the bank (3-D Secure), or gave up. It can be tried again.
        AuthenticationFailed = "authentication_failed",
        /// The payment provider could not be reached.
        ProviderDown = "provider_down",
        /// The payment provider refused what we asked for; the log says why.
        ProviderRefused = "provider_refused",
        /// Nobody paid in time.
        NotPaid = "not_paid",
        /// The car was not plugged in in time.
        NobodyPluggedIn = "nobody_plugged_in",
        /// The station refused to start.
        StartRejected = "start_rejected",
        /// The station is not connected.
        StationOffline = "station_offline",
        /// Somebody else was faster at this charging point.
        PlugTaken = "plug_taken",
        /// What was held is not what was to be held.
        HoldDiffers = "hold_differs",
        /// The amount that can be held is not enough for even a short charge.
        HoldTooSmall = "hold_too_small",
        /// The charge cost nothing.
        CostZero = "cost_zero",
        /// What was due is less than the provider can take.
        TooLittle = "too_little",
        /// The driver did not want it any more.
        CancelledByDriver = "cancelled_by_driver",
        /// An operator ended it.
        CancelledByOperator = "cancelled_by_operator",
        /// The hold was no longer there when what was due was to be taken.
        HoldLapsed = "hold_lapsed",
        /// The terminal could not take what was due.
        TerminalFailed = "terminal_failed",
        /// The terminal never said what it did with the hold.
        TerminalSilent = "terminal_silent",
    }
}

words! {
    /// Why we stop a charge that was paid for ad hoc.
    pub enum StopCause {
        /// The driver wished.
        Driver = "driver",
        /// An operator wished.
        Operator = "operator",
        /// What comes next could cost more than is held.
        HoldReached = "hold_reached",
        /// The hold lapses soon.
        HoldLapses = "hold_lapses",
        /// Somebody took the hold at the provider while the charge went on.
        HoldTaken = "hold_taken",
        /// It began after the hold was given back.
        NotPaidFor = "not_paid_for",
    }
}

words! {
    /// What a line of the payments' ledger is about. Amounts are never negative.
    pub enum LedgerKind {
        /// Held on the card.
        Held = "held",
        /// Taken.
        Captured = "captured",
        /// Given back of what was held and not taken.
        Released = "released",
        /// Not given back after all, of what was released: a terminal took it and said so late.
        ReleaseUndone = "release_undone",
        /// Given back of what was taken.
        Refunded = "refunded",
        /// Not given back after all, of what was refunded: the driver's bank did not take it.
        RefundFailed = "refund_failed",
        /// Claimed back by the driver's bank.
        Disputed = "disputed",
        /// No longer claimed back.
        DisputeWon = "dispute_won",
        /// Due and not taken: it was more than was held, or became known too late.
        WrittenOff = "written_off",
        /// No longer due after all, of what was written off.
        WriteOffUndone = "write_off_undone",
    }
}

words! {
    /// What is asked of a payment provider.
    pub enum OperationKind {
        /// Make ready to hold an amount.
        Authorise = "authorise",
        /// Take what is due.
        Capture = "capture",
        /// Give the hold back.
        Release = "release",
        /// Give back what was taken.
        Refund = "refund",
    }
}

words! {
    /// How a call of a provider came out.
    pub enum OperationState {
        /// It is about to be made, or was made and its answer is not known.
        Intended = "intended",
        /// It was done.
        Done = "done",
        /// The provider refused; it did nothing.
        Refused = "refused",
        /// It came to nothing after all: the bank sent a refund back, or a terminal never said that it was done.
        Failed = "failed",
    }
}

/// One who sells ad hoc: a party of ours with what a receipt must say of it, and its account at the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merchant {
    /// The full name that receipts show, with its legal form.
    pub name: String,
    /// The full address, a line each.
    pub address: Vec<String>,
    /// The VAT or tax number, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<String>,
    /// The account at the payment provider that sells (`acct_…`); missing means the account of the configured key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

/// A receipt's number and day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptNumber {
    /// Rises by one for each receipt of a party, without gaps.
    pub number: i64,
    /// When it was given.
    pub at: Timestamp,
}

/// That a charge is to be stopped, until it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopWish {
    /// Why.
    pub cause: StopCause,
    /// When it was wished.
    pub at: Timestamp,
    /// How often the station was asked.
    pub tries: u32,
}

/// What is due for a charge, and what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settlement {
    /// To be taken.
    pub capture: Money,
    /// Due and not to be had.
    pub write_off: Money,
}

impl Settlement {
    /// Takes what is due, at most what is held.
    #[must_use]
    pub fn of(due: Money, held: Money) -> Self {
        let due = due.max(Money::ZERO);
        // The difference of two amounts within range that are not negative is within range.
        let write_off = if due > held { due.minus(held).unwrap_or_default() } else { Money::ZERO };
        Self { capture: due.min(held), write_off }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payment_moves_only_along_its_way() {
        use PaymentState as S;
        let legal = [
            (S::Created, vec![S::Authorised, S::Releasing, S::Cancelled, S::Expired, S::Failed]),
            (S::Authorised, vec![S::StartSent, S::Releasing]),
            (S::StartSent, vec![S::Charging, S::Releasing]),
            (S::Charging, vec![S::Priced, S::Releasing]),
            (S::Priced, vec![S::Capturing, S::Releasing]),
            (S::Capturing, vec![S::Captured, S::Failed, S::Releasing]),
            (S::Captured, vec![S::Refunded, S::Disputed]),
            (S::Releasing, vec![S::Cancelled, S::Expired, S::Refunded, S::Failed]),
            (S::Cancelled, vec![]),
            (S::Expired, vec![]),
            (S::Refunded, vec![S::Captured]),
            (S::Failed, vec![S::Captured]),
            (S::Disputed, vec![S::Captured, S::Refunded]),
        ];
        assert_eq!(legal.len(), S::ALL.len());
        for (from, wanted) in legal {
            for to in S::ALL {
                let mut state = from;
                let moved = state.move_to(*to);
                assert_eq!(moved.is_ok(), wanted.contains(to), "{from} to {to}");
                assert_eq!(state, if moved.is_ok() { *to } else { from });
            }
            assert_eq!(S::from_word(from.as_str()), Some(from));
        }
        let refused = S::Captured.clone().move_to(S::Charging).unwrap_err();
        assert_eq!(refused.to_string(), "a payment that is captured cannot become charging");
    }

    #[test]
    fn no_more_is_taken_than_is_held() {
        let money = |text: &str| text.parse::<Money>().unwrap();
        let of = |due: &str, held: &str| {
            let found = Settlement::of(money(due), money(held));
            (found.capture.to_string(), found.write_off.to_string())
        };
        assert_eq!(of("12.34", "60"), ("12.34".to_owned(), "0".to_owned()));
        assert_eq!(of("60.01", "60.00"), ("60.00".to_owned(), "0.01".to_owned()));
        assert_eq!(of("0", "60"), ("0".to_owned(), "0".to_owned()));
        assert_eq!(of("-1", "60").0, "0");
    }
}
