//! One case: tariffs and a CDR that neither engine has seen before.

use crate::dice::Dice;
use crate::periods::{self, Style};
use crate::session::Session;
use crate::tariffs;
use crate::versions::Version;
use roamwatt::domain::Timestamp;
use roamwatt::domain::charging_period::ChargingPeriod;
use roamwatt::domain::tariff::Tariff;

/// What is priced.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) number: u64,
    pub(crate) version: Version,
    pub(crate) tariffs: Vec<Tariff>,
    pub(crate) session: Session,
    /// As the CDR tells the session.
    pub(crate) periods: Vec<ChargingPeriod>,
    /// Whether the periods were cut wherever a price may change, as OCPI asks for.
    pub(crate) cut: bool,
}

impl Case {
    /// Throws the case with this number.
    pub(crate) fn throw(seed: u64, number: u64, version: Version) -> Self {
        let mut dice = Dice::of_case(seed, number);
        let mut session = Session::throw(&mut dice, version);
        let mut all = vec![tariffs::throw(&mut dice, &session, version, "T1")];
        if dice.chance(4) {
            all.push(tariffs::throw(&mut dice, &session, version, "T2"));
        }
        let cut = dice.chance(85);
        if cut {
            periods::cut(&mut session, &all);
        }
        if dice.chance(10) {
            periods::cut_in_between(&mut session, &mut dice);
        }
        let (lowest, highest) = match dice.between(0, 3) {
            0 | 1 => (true, true),
            2 => (true, false),
            _ => (false, true),
        };
        let style = Style { lowest, highest, says_nothing: dice.chance(50), version };
        let named = dice.chance(95);
        let switch = usize::try_from(dice.between(1, 4)).unwrap_or_default();
        let two = all.len() > 1;
        let periods = periods::write(&session, style, |index| {
            named.then(|| if two && index >= switch { "T2" } else { "T1" }.to_owned())
        });
        Self { number, version, tariffs: all, session, periods, cut }
    }

    /// When the session began.
    pub(crate) fn start(&self) -> Timestamp {
        at(self.session.start())
    }

    /// When the session ended.
    pub(crate) fn end(&self) -> Timestamp {
        at(self.session.end)
    }
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap_or_else(|| unreachable!("dates are near"))
}
