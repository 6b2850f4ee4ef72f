//! What makes the price of a CDR doubtful, for whoever checks it.

use super::Finding;
use super::calendar::Clock;
use super::select::{Lookup, Measured, Situation};
use super::stated::{StatedCharge, StatedPeriod};
use super::tariffs::{PreparedTariff, Tariffs};

impl StatedCharge {
    /// What makes the price doubtful: a period in which a component changes, a restriction on something that the
    /// CDR does not tell, a time that is priced but not stated, and what was found while making it ready.
    #[must_use]
    pub fn warnings(&self, tariffs: &Tariffs) -> Vec<Finding> {
        let mut found = self.warnings.clone();
        let mut energy = 0_i128;
        for (at, period) in self.periods.iter().enumerate() {
            if let Some(tariff) = period.tariff.and_then(|at| tariffs.get(at)) {
                let path = format!("$.charging_periods[{at}]");
                let start = self.situation(period, period.falls_from(energy));
                let reasons = unknowns(tariff, period).chain(spans(tariff, period, &start));
                found.extend(reasons.map(|reason| Finding::new(path.clone(), reason)));
                if let Some(reason) = self.change_within(tariff, period, (&start, energy)) {
                    found.push(Finding::new(path, reason));
                }
            }
            energy = energy.saturating_add(period.energy);
        }
        found
    }

    /// Whether another component would be active just before the end of a period.
    fn change_within(
        &self,
        tariff: &PreparedTariff,
        period: &StatedPeriod,
        (start, energy): (&Situation, i128),
    ) -> Option<String> {
        if period.end - period.start <= 1 || period.is_reservation() {
            return None;
        }
        // Energy that is charged reaches what it ends with only then.
        let last = energy.saturating_add(period.energy.saturating_sub(i128::from(period.energy > 0)));
        let before = period.end - 1;
        let end = Situation {
            local: Clock::new(self.zone, before, before).local(before),
            elapsed: start.elapsed + (before - period.start),
            energy: last,
            ..*start
        };
        let changes = used(period).filter(|(lookup, _, used)| {
            *used && tariff.active(*lookup, start) != tariff.active(*lookup, &end)
        });
        let words: Vec<&str> = changes.map(|(_, word, _)| word).collect();
        (!words.is_empty()).then(|| {
            format!(
                "the price of {} changes within this period: it is priced by what was active at its start; \
                 a period should begin there",
                words.join(" and ")
            )
        })
    }
}

/// What a tariff looks at and a period does not tell.
fn unknowns(tariff: &PreparedTariff, period: &StatedPeriod) -> impl Iterator<Item = String> {
    let restricted = |what: &str, field: &str| {
        format!(
            "the tariff has restrictions on the {what}, which this period does not tell ({field}): \
             elements with them do not apply"
        )
    };
    let power = (!tariff.powers.is_empty() && !period.power.is_known() && !period.is_reservation())
        .then(|| restricted("power", "MIN_POWER, MAX_POWER"));
    let current = (!tariff.currents.is_empty() && !period.current.is_known() && !period.is_reservation())
        .then(|| restricted("current", "MIN_CURRENT, MAX_CURRENT"));
    let timed = !tariff.candidates.time.is_empty() || !tariff.candidates.parking.is_empty();
    let untimed = period.charging == 0 && period.parking == 0 && period.reserved == 0;
    let time = (timed && untimed && period.end > period.start)
        .then(|| "neither TIME nor PARKING_TIME is stated: the time of this period is not priced".to_owned());
    power.into_iter().chain(current).chain(time)
}

/// Power and current that vary over a threshold within a period, where that matters: it should have been two.
fn spans(tariff: &PreparedTariff, period: &StatedPeriod, start: &Situation) -> impl Iterator<Item = String> {
    let matters = |ends: [Situation; 2]| {
        let mut used = used(period).filter(|(.., used)| *used);
        used.any(|(lookup, ..)| {
            ends.iter().any(|end| tariff.active(lookup, end) != tariff.active(lookup, start))
        })
    };
    let ends =
        |value: Measured| value.is_known().then_some([Measured::one(value.low), Measured::one(value.high)]);
    let power = ends(start.power).map(|ends| ends.map(|power| Situation { power, ..*start }));
    let current = ends(start.current).map(|ends| ends.map(|current| Situation { current, ..*start }));
    let varies = |what: &str| {
        format!(
            "the {what} varies over a threshold of the tariff within this period: an element applies only where \
             all of it is within its restrictions; a period should begin there"
        )
    };
    let power = power.is_some_and(matters).then(|| varies("power"));
    let current = current.is_some_and(matters).then(|| varies("current"));
    power.into_iter().chain(current)
}

/// How a period uses the dimensions of a charge.
fn used(period: &StatedPeriod) -> impl Iterator<Item = (Lookup, &'static str, bool)> {
    [
        (Lookup::Energy, "ENERGY", period.energy != 0),
        (Lookup::Time, "TIME", period.charging != 0),
        (Lookup::Parking, "PARKING_TIME", period.parking != 0),
    ]
    .into_iter()
}
