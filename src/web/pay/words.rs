//! What a payment's state and its reason mean to a driver, in a sentence each.

use crate::domain::payment::PaymentReason;
use crate::pricing::describe::Language;

/// Why it came to this, and what to do now.
pub(super) fn reason(reason: PaymentReason, language: Language) -> &'static str {
    use PaymentReason as R;
    let (english, german) = match reason {
        R::Declined => (
            "Your bank declined the card. Nothing was charged. Try another card.",
            "Ihre Bank hat die Karte abgelehnt. Es wurde nichts berechnet. Bitte versuchen Sie eine andere Karte.",
        ),
        R::AuthenticationFailed => (
            "The payment was not confirmed with your bank. Nothing was charged. You can try again.",
            "Die Zahlung wurde bei Ihrer Bank nicht bestätigt. Es wurde nichts berechnet. Sie können es noch einmal \
             versuchen.",
        ),
        R::ProviderDown => (
            "The payment provider cannot be reached. Nothing was charged. Try again in a moment.",
            "Der Zahlungsdienst ist nicht erreichbar. Es wurde nichts berechnet. Bitte versuchen Sie es gleich noch \
             einmal.",
        ),
        R::ProviderRefused => (
            "The payment provider refused the payment. Nothing was charged.",
            "Der Zahlungsdienst hat die Zahlung abgelehnt. Es wurde nichts berechnet.",
        ),
        R::NotPaid => (
            "The payment was not made in time. Nothing was charged. You can start again.",
            "Die Zahlung kam nicht rechtzeitig. Es wurde nichts berechnet. Sie können neu beginnen.",
        ),
        R::NobodyPluggedIn => (
            "No car was plugged in in time. The amount held is released; you pay nothing.",
            "Es wurde nicht rechtzeitig ein Fahrzeug angesteckt. Der reservierte Betrag wird freigegeben; Sie zahlen \
             nichts.",
        ),
        R::StartRejected => (
            "The charging point refused to start. The amount held is released; you pay nothing. Try another one.",
            "Der Ladepunkt hat den Start abgelehnt. Der reservierte Betrag wird freigegeben; Sie zahlen nichts. Bitte \
             versuchen Sie einen anderen.",
        ),
        R::StationOffline => (
            "The charging point cannot be reached. The amount held is released; you pay nothing. Try another one.",
            "Der Ladepunkt ist nicht erreichbar. Der reservierte Betrag wird freigegeben; Sie zahlen nichts. Bitte \
             versuchen Sie einen anderen.",
        ),
        R::PlugTaken => (
            "Somebody else was faster at this charging point. The amount held is released; you pay nothing.",
            "Jemand anderes war an diesem Ladepunkt schneller. Der reservierte Betrag wird freigegeben; Sie zahlen \
             nichts.",
        ),
        R::HoldDiffers => (
            "Another amount was held than was asked for. It is released; you pay nothing. Start again.",
            "Es wurde ein anderer Betrag reserviert als verlangt. Er wird freigegeben; Sie zahlen nichts. Bitte beginnen \
             Sie neu.",
        ),
        R::HoldTooSmall => (
            "The amount that can be held is not enough for a charge here. You pay nothing.",
            "Der Betrag, der reserviert werden kann, reicht hier für keinen Ladevorgang. Sie zahlen nichts.",
        ),
        R::CostZero => (
            "This charge cost nothing. The amount held is released.",
            "Dieser Ladevorgang hat nichts gekostet. Der reservierte Betrag wird freigegeben.",
        ),
        R::TooLittle => (
            "The cost is too small to be collected. The amount held is released; you pay nothing.",
            "Der Betrag ist zu klein, um ihn einzuziehen. Der reservierte Betrag wird freigegeben; Sie zahlen nichts.",
        ),
        R::CancelledByDriver => (
            "You cancelled. What was held is released; you pay nothing.",
            "Sie haben abgebrochen. Was reserviert war, wird freigegeben; Sie zahlen nichts.",
        ),
        R::CancelledByOperator => (
            "The operator ended this. What was held is released; you pay nothing.",
            "Der Betreiber hat dies beendet. Was reserviert war, wird freigegeben; Sie zahlen nichts.",
        ),
        R::HoldLapsed => (
            "The amount held had lapsed before the charge was paid. The operator will get in touch if need be.",
            "Die Reservierung war abgelaufen, bevor der Ladevorgang bezahlt war. Der Betreiber meldet sich, falls nötig.",
        ),
        R::TerminalFailed => (
            "The card terminal could not take the amount. Ask the operator.",
            "Das Kartenterminal konnte den Betrag nicht einziehen. Bitte fragen Sie den Betreiber.",
        ),
        R::TerminalSilent => (
            "The card terminal did not say what became of the amount held. It lapses at your bank by itself. Ask the \
             operator.",
            "Das Kartenterminal hat nicht gemeldet, was aus dem reservierten Betrag wurde. Er verfällt bei Ihrer Bank von \
             selbst. Bitte fragen Sie den Betreiber.",
        ),
    };
    match language {
        Language::En => english,
        Language::De => german,
    }
}
