//! Local smart charging, case by case from the text of OCPP 1.6 and its errata.

use super::*;
use crate::domain::Timestamp;
use crate::domain::charging_profile::{
    ChargingProfile, CompositeSchedule, ProfileError, ProfileKind, ProfilePurpose, RateUnit, Recurrence,
    SchedulePeriod,
};
use chrono::TimeDelta;
use proptest::prelude::*;
use rust_decimal::Decimal;

const HOUR: u32 = 3600;

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn after(start: Timestamp, seconds: u32) -> Timestamp {
    start.plus(TimeDelta::seconds(i64::from(seconds)))
}

fn noon() -> Timestamp {
    at("2026-03-02T12:00:00Z")
}

fn amperes(periods: &[(u32, u32)]) -> Vec<SchedulePeriod> {
    let period = |&(start_s, limit)| SchedulePeriod { start_s, limit: Decimal::from(limit), phases: None };
    periods.iter().map(period).collect()
}

/// A default that starts at noon.
fn profile(id: i32, stack_level: u32, periods: &[(u32, u32)]) -> ChargingProfile {
    ChargingProfile {
        id,
        stack_level,
        purpose: ProfilePurpose::TxDefault,
        transaction_id: None,
        kind: ProfileKind::Absolute,
        start: Some(noon()),
        valid_from: None,
        valid_to: None,
        unit: RateUnit::Amperes,
        periods: amperes(periods),
        duration_s: None,
    }
}

fn of_transaction(id: i32, stack_level: u32, periods: &[(u32, u32)]) -> ChargingProfile {
    ChargingProfile {
        purpose: ProfilePurpose::Tx,
        transaction_id: Some(7),
        ..profile(id, stack_level, periods)
    }
}

fn of_station(id: i32, stack_level: u32, periods: &[(u32, u32)]) -> ChargingProfile {
    ChargingProfile { purpose: ProfilePurpose::StationMax, ..profile(id, stack_level, periods) }
}

fn charge() -> Charge {
    Charge { local: 70, id: Some(7), began: noon() }
}

/// A station with profiles, each at its connector; a charge is on at connector 1.
fn station(profiles: impl IntoIterator<Item = (i32, ChargingProfile)>) -> Profiles {
    let mut all = Profiles::new(Bounds::default());
    for (connector, profile) in profiles {
        let charge = (connector == 1).then(charge);
        all.install(connector, profile, charge.as_ref(), noon()).unwrap();
    }
    all
}

/// Amperes in force at connector 1 so many seconds after noon.
fn limit(all: &Profiles, second: u32) -> Option<u64> {
    all.in_force(1, Some(&charge()), after(noon(), second)).lowest().map(|level| level.deciamperes() / 10)
}

fn outlet(connector: i32, deciamperes: u64, phases: u8) -> Outlet {
    let charge = (connector == 1).then(charge);
    Outlet { connector, rating: Level::of_deciamperes(deciamperes, phases), charge }
}

fn told(schedule: &CompositeSchedule) -> Vec<(u32, String)> {
    schedule.periods.iter().map(|period| (period.start_s, period.limit.to_string())).collect()
}

/// The composite schedule of connector 1 at 32 A from noon on.
fn composite(all: &Profiles, duration: u32) -> Vec<(u32, String)> {
    told(&all.composite(1, &[outlet(1, 320, 3)], noon(), duration, RateUnit::Amperes))
}

fn pairs<const N: usize>(pairs: [(u32, &str); N]) -> Vec<(u32, String)> {
    pairs.into_iter().map(|(start, limit)| (start, limit.to_owned())).collect()
}

/// 3.13.7: a daily default that limits the power to 6 kW between 08:00 and 20:00.
fn by_day() -> ChargingProfile {
    let period = |start_s, watts| SchedulePeriod { start_s, limit: Decimal::from(watts), phases: Some(3) };
    ChargingProfile {
        id: 100,
        kind: ProfileKind::Recurring(Recurrence::Daily),
        start: Some(at("2013-01-01T00:00:00Z")),
        duration_s: Some(24 * HOUR),
        unit: RateUnit::Watts,
        periods: vec![period(0, 11_000), period(8 * HOUR, 6000), period(20 * HOUR, 11_000)],
        ..profile(100, 0, &[])
    }
}

#[test]
fn the_example_of_the_text_repeats_every_day() {
    let all = station([(0, by_day())]);
    let from = at("2026-03-02T06:30:00Z");
    let schedule = all.composite(1, &[outlet(1, 320, 3)], from, 26 * HOUR, RateUnit::Watts);
    let hours = |hours: u32| hours * HOUR + HOUR / 2;
    let wanted = [(0, "11000"), (hours(1), "6000"), (hours(13), "11000"), (hours(25), "6000")];
    assert_eq!(told(&schedule), pairs(wanted));
    assert_eq!((schedule.start, schedule.duration_s), (Some(from), Some(26 * HOUR)));
    assert!(schedule.periods.iter().all(|period| period.phases == Some(3)));
    // 6 kW over three phases are 8.69 A each.
    let schedule = all.composite(1, &[outlet(1, 320, 3)], noon(), 60, RateUnit::Amperes);
    assert_eq!(told(&schedule), pairs([(0, "8.6")]));
    // A limit is not computed anew for fewer phases (errata 3.34), and what is told is what one phase may take.
    let schedule = all.composite(1, &[outlet(1, 320, 1)], noon(), 60, RateUnit::Watts);
    assert_eq!((told(&schedule), schedule.periods[0].phases), (pairs([(0, "2000")]), Some(1)));
}

#[test]
fn a_shorter_duration_falls_back_to_a_lower_level_and_then_to_none() {
    // Errata 3.43, with a recurrence and without.
    let mut short = profile(1, 1, &[(0, 10)]);
    short.duration_s = Some(HOUR);
    let mut day = short.clone();
    day.kind = ProfileKind::Recurring(Recurrence::Daily);
    for short in [short.clone(), day.clone()] {
        let all = station([(0, short), (0, profile(2, 0, &[(0, 20)]))]);
        assert_eq!(composite(&all, 2 * HOUR), pairs([(0, "10"), (HOUR, "20")]));
    }
    let all = station([(0, day)]);
    assert_eq!(
        [limit(&all, HOUR - 1), limit(&all, HOUR), limit(&all, 24 * HOUR)],
        [Some(10), None, Some(10)]
    );
    assert_eq!(composite(&all, 25 * HOUR), pairs([(0, "10"), (HOUR, "32"), (24 * HOUR, "10")]));
}

#[test]
fn a_duration_longer_than_the_periods_keeps_the_last_and_a_shorter_one_cuts_them() {
    let mut long = profile(1, 0, &[(0, 10), (60, 12)]);
    long.duration_s = Some(600);
    let all = station([(0, long)]);
    assert_eq!([limit(&all, 599), limit(&all, 600)], [Some(12), None]);
    let mut cut = profile(1, 0, &[(0, 10), (60, 12), (120, 14)]);
    cut.duration_s = Some(90);
    assert_eq!(composite(&station([(0, cut)]), 600), pairs([(0, "10"), (60, "12"), (90, "32")]));
    // Longer than the recurrence: the rest is not executed (5.16.4).
    let mut week = profile(1, 0, &[(0, 10), (23 * HOUR, 12), (25 * HOUR, 14)]);
    week.kind = ProfileKind::Recurring(Recurrence::Daily);
    week.duration_s = Some(48 * HOUR);
    let all = station([(0, week)]);
    let wanted = [(0, "10"), (23 * HOUR, "12"), (24 * HOUR, "10"), (47 * HOUR, "12")];
    assert_eq!(composite(&all, 48 * HOUR), pairs(wanted));
}

#[test]
fn a_week_begins_at_the_time_and_day_of_its_start() {
    // Errata 3.79. Noon is a Monday; the schedule starts on a Saturday.
    let mut weekend = profile(1, 0, &[(0, 32), (48 * HOUR, 10)]);
    weekend.kind = ProfileKind::Recurring(Recurrence::Weekly);
    weekend.start = Some(at("2026-02-21T00:00:00Z"));
    let all = station([(0, weekend)]);
    let amperes = |text| all.in_force(1, None, at(text)).own().unwrap().deciamperes() / 10;
    assert_eq!(amperes("2026-02-27T23:59:59Z"), 10);
    assert_eq!(amperes("2026-02-28T00:00:00Z"), 32);
    assert_eq!(amperes("2026-03-01T23:59:59Z"), 32);
    assert_eq!(amperes("2026-03-02T00:00:00Z"), 10);
    assert_eq!(all.in_force(1, None, at("2026-02-20T23:59:59Z")).own(), None, "not before its start");
}

#[test]
fn the_highest_level_that_is_valid_prevails() {
    let mut holiday = profile(2, 3, &[(0, 32)]);
    holiday.valid_from = Some(after(noon(), 100));
    holiday.valid_to = Some(after(noon(), 200));
    let all = station([(0, profile(1, 0, &[(0, 10)])), (0, holiday)]);
    assert_eq!(composite(&all, 300), pairs([(0, "10"), (100, "32"), (200, "10")]));
    // Without a duration it never falls back (3.13.2).
    let all = station([(0, profile(1, 0, &[(0, 10)])), (0, profile(2, 1, &[(0, 16)]))]);
    assert_eq!(limit(&all, 10_000_000), Some(16));
}

#[test]
fn a_replaced_profile_that_is_not_valid_yet_leaves_a_gap() {
    // 3.13.2: it replaces at once, and the default behaviour is in force until validFrom.
    let mut later = profile(2, 1, &[(0, 12)]);
    later.valid_from = Some(after(noon(), 100));
    let all = station([(0, profile(1, 1, &[(0, 10)])), (0, later)]);
    assert_eq!((all.len(), limit(&all, 99), limit(&all, 100)), (1, None, Some(12)));
}

#[test]
fn profiles_replace_each_other_by_id_and_by_purpose_and_level() {
    let mut all = station([(0, profile(1, 1, &[(0, 10)])), (0, profile(2, 2, &[(0, 12)]))]);
    all.install(0, profile(1, 5, &[(0, 14)]), None, noon()).unwrap();
    assert_eq!((all.len(), limit(&all, 0)), (2, Some(14)));
    all.install(0, profile(3, 5, &[(0, 16)]), None, noon()).unwrap();
    assert_eq!((all.len(), limit(&all, 0)), (2, Some(16)));
    // The same level of another purpose is another profile.
    all.install(0, of_station(4, 5, &[(0, 9)]), None, noon()).unwrap();
    assert_eq!((all.len(), limit(&all, 0)), (3, Some(9)));
}

#[test]
fn the_lowest_of_the_purposes_counts() {
    // 3.13.3, with intervals of different lengths.
    let all = station([
        (0, of_station(1, 0, &[(0, 20), (200, 8), (400, 25)])),
        (0, profile(2, 0, &[(0, 6)])),
        (1, of_transaction(3, 0, &[(0, 16), (100, 24), (300, 10)])),
    ]);
    assert_eq!(composite(&all, 500), pairs([(0, "16"), (100, "20"), (200, "8"), (400, "10")]));
    // At another connector the default counts.
    let other = all.composite(2, &[outlet(2, 320, 3)], noon(), 500, RateUnit::Amperes);
    assert_eq!(told(&other), pairs([(0, "6")]));
}

#[test]
fn a_default_of_a_connector_replaces_the_common_one_of_its_level_there_only() {
    let mut short = profile(2, 0, &[(0, 20)]);
    short.duration_s = Some(100);
    let mut all = station([(0, profile(1, 0, &[(0, 10)])), (1, short)]);
    let amperes = |all: &Profiles, connector, second| {
        all.in_force(connector, None, after(noon(), second)).own().map(|level| level.deciamperes() / 10)
    };
    // Replaced is replaced, also when the new one has ended.
    assert_eq!([amperes(&all, 1, 0), amperes(&all, 1, 100)], [Some(20), None].map(|a: Option<u64>| a));
    assert_eq!(amperes(&all, 2, 0), Some(10));
    assert_eq!(all.clear(&Criteria { connector: Some(1), ..Criteria::default() }), 1);
    assert_eq!(amperes(&all, 1, 0), Some(10));
}

#[test]
fn a_profile_of_a_transaction_overrules_the_default_and_goes_with_the_charge() {
    let mut brief = of_transaction(2, 0, &[(0, 20)]);
    brief.duration_s = Some(100);
    let mut all = station([(0, profile(1, 8, &[(0, 10)])), (1, brief)]);
    assert_eq!([limit(&all, 0), limit(&all, 100)], [Some(20), Some(10)]);
    let next = Charge { local: 71, id: Some(8), began: noon() };
    let of_next = all.in_force(1, Some(&next), noon());
    assert_eq!((of_next.transaction, of_next.default.map(Level::deciamperes)), (None, Some(100)));
    all.end_charge(70);
    assert_eq!((all.len(), limit(&all, 0)), (1, Some(10)));
}

#[test]
fn relative_times_count_from_the_charge() {
    for (kind, start) in [(ProfileKind::Relative, Some(noon())), (ProfileKind::Absolute, None)] {
        let mut relative = profile(1, 0, &[(0, 10), (60, 20)]);
        (relative.kind, relative.start) = (kind, start);
        let all = station([(0, relative)]);
        let late = Charge { began: after(noon(), 1000), ..charge() };
        let amperes = |second| {
            let limits = all.in_force(1, Some(&late), after(noon(), second));
            limits.own().map(|level| level.deciamperes() / 10)
        };
        assert_eq!([amperes(1000), amperes(1059), amperes(1060)], [Some(10), Some(10), Some(20)]);
        // Where nothing charges, the schedule of a charge that would begin now is told.
        let idle = all.composite(2, &[outlet(2, 320, 3)], after(noon(), 5000), 100, RateUnit::Amperes);
        assert_eq!(told(&idle), pairs([(0, "10"), (60, "20")]));
    }
}

#[test]
fn what_the_text_forbids_is_refused() {
    let bounds = Bounds { stack_level: 3, periods: 2, installed: 2, amperes: true, watts: false };
    let mut all = Profiles::new(bounds);
    let charge = charge();
    let mut refused = |connector, profile, charge: Option<&Charge>| {
        all.install(connector, profile, charge, noon()).unwrap_err()
    };
    let tx = || of_transaction(1, 0, &[(0, 10)]);
    assert_eq!(refused(1, tx(), None), Refusal::NoTransaction);
    assert_eq!(refused(0, tx(), Some(&charge)), Refusal::Connector(0));
    let other = ChargingProfile { transaction_id: Some(8), ..tx() };
    assert_eq!(refused(1, other, Some(&charge)), Refusal::OtherTransaction);
    let unknown = Charge { id: None, ..charge };
    assert_eq!(refused(1, tx(), Some(&unknown)), Refusal::OtherTransaction);
    assert_eq!(refused(1, of_station(1, 0, &[(0, 10)]), None), Refusal::Connector(1));
    assert_eq!(refused(0, profile(1, 4, &[(0, 10)]), None), Refusal::StackLevel(4));
    let many = profile(1, 0, &[(0, 10), (1, 11), (2, 12)]);
    assert_eq!(refused(0, many, None), Refusal::Periods(3));
    assert_eq!(refused(0, by_day(), None), Refusal::Periods(3));
    let watts = ChargingProfile { unit: RateUnit::Watts, ..profile(1, 0, &[(0, 1)]) };
    assert_eq!(refused(0, watts, None), Refusal::Unit);
    assert_eq!(refused(0, profile(1, 0, &[(5, 10)]), None), Refusal::Profile(ProfileError::FirstStart(5)));
    for id in [1, 2] {
        all.install(0, profile(id, u32::try_from(id).unwrap(), &[(0, 10)]), None, noon()).unwrap();
    }
    assert_eq!(all.install(0, profile(3, 0, &[(0, 10)]), None, noon()), Err(Refusal::Full(2)));
    assert_eq!(all.install(0, profile(3, 1, &[(0, 10)]), None, noon()), Ok(()), "it takes another's place");
    // Whoever names no transaction means the one that is on.
    all.clear(&Criteria::default());
    let unnamed = ChargingProfile { transaction_id: None, ..tx() };
    assert_eq!(all.install(1, unnamed, Some(&unknown), noon()), Ok(()));
}

#[test]
fn what_is_cleared_fits_all_that_is_given() {
    let all = station([
        (0, of_station(1, 0, &[(0, 40)])),
        (0, profile(2, 0, &[(0, 30)])),
        (2, profile(3, 0, &[(0, 20)])),
        (1, of_transaction(4, 1, &[(0, 10)])),
    ]);
    let cleared = |criteria: Criteria| all.clone().clear(&criteria);
    let none = Criteria::default();
    assert_eq!(cleared(none), 4);
    assert_eq!(cleared(Criteria { id: Some(3), ..none }), 1);
    assert_eq!(cleared(Criteria { connector: Some(0), ..none }), 2);
    assert_eq!(cleared(Criteria { purpose: Some(ProfilePurpose::TxDefault), ..none }), 2);
    assert_eq!(cleared(Criteria { stack_level: Some(0), connector: Some(0), ..none }), 2);
    assert_eq!(cleared(Criteria { id: Some(3), connector: Some(0), ..none }), 0);
}

#[test]
fn the_station_tells_the_sum_within_its_own_limit() {
    let outlets = [outlet(1, 160, 3), outlet(2, 320, 1)];
    let tell = |all: &Profiles| told(&all.composite(0, &outlets, noon(), 100, RateUnit::Amperes));
    assert_eq!(tell(&station([])), pairs([(0, "48")]));
    let all = station([(2, profile(1, 0, &[(0, 10), (50, 32)])), (0, of_station(2, 0, &[(0, 40)]))]);
    assert_eq!(tell(&all), pairs([(0, "26"), (50, "40")]));
}

#[test]
fn periods_begin_with_whole_seconds_and_never_promise_too_much() {
    let began = noon().plus(TimeDelta::milliseconds(-400));
    let charge = Charge { began, ..charge() };
    let relative = |periods: &[(u32, u32)]| {
        let relative = ChargingProfile { kind: ProfileKind::Relative, ..profile(1, 0, periods) };
        let outlet = Outlet { charge: Some(charge), ..outlet(1, 320, 3) };
        told(&station([(0, relative)]).composite(1, &[outlet], noon(), 100, RateUnit::Amperes))
    };
    // The limit changes at 9.6 s.
    assert_eq!(relative(&[(0, 20), (10, 10)]), pairs([(0, "20"), (9, "10")]));
    assert_eq!(relative(&[(0, 10), (10, 20)]), pairs([(0, "10"), (10, "20")]));
    assert_eq!(relative(&[(0, 10), (10, 6), (11, 20)]), pairs([(0, "10"), (9, "6"), (11, "20")]));
}

/// Any profile around noon.
fn any_profile() -> impl Strategy<Value = ChargingProfile> {
    let moment = |range: std::ops::Range<i64>| {
        prop::option::of(range.prop_map(|millis| noon().plus(TimeDelta::milliseconds(millis * 250))))
    };
    let periods = prop::collection::btree_map(1..300_u32, (0..400_i64, prop::option::of(1..=3_u8)), 0..5);
    let purpose =
        prop::sample::select(vec![ProfilePurpose::StationMax, ProfilePurpose::TxDefault, ProfilePurpose::Tx]);
    let kind = prop::sample::select(vec![
        ProfileKind::Absolute,
        ProfileKind::Relative,
        ProfileKind::Recurring(Recurrence::Daily),
        ProfileKind::Recurring(Recurrence::Weekly),
    ]);
    let times = (moment(-800..400), moment(-800..0), moment(1..1200));
    (
        0..1000,
        0..4_u32,
        purpose,
        kind,
        times,
        periods,
        0..400_i64,
        prop::option::of(0..400_u32),
        any::<bool>(),
    )
        .prop_map(
            |(id, stack_level, purpose, kind, (start, from, to), periods, first, duration_s, watts)| {
                let period = |(start_s, (tenths, phases))| {
                    let limit = Decimal::new(if watts { tenths * 600 } else { tenths }, 1);
                    SchedulePeriod { start_s, limit, phases }
                };
                let all = std::iter::once((0, (first, None))).chain(periods).map(period);
                ChargingProfile {
                    id,
                    stack_level,
                    purpose,
                    transaction_id: None,
                    start: start.or(matches!(kind, ProfileKind::Recurring(_)).then(noon)),
                    kind,
                    valid_from: from,
                    valid_to: to,
                    unit: if watts { RateUnit::Watts } else { RateUnit::Amperes },
                    periods: all.collect(),
                    duration_s,
                }
            },
        )
}

proptest! {
    #[test]
    fn at_every_second_the_composite_is_within_each_purpose(
        profiles in prop::collection::vec((any_profile(), any::<bool>()), 0..8),
        millis in 0..400_i64,
        began in 0..800_i64,
    ) {
        let began = noon().plus(TimeDelta::milliseconds(-began * 125));
        let charge = Charge { began, ..charge() };
        let mut all = Profiles::new(Bounds::default());
        for (profile, common) in profiles {
            let connector = match profile.purpose {
                ProfilePurpose::StationMax => 0,
                ProfilePurpose::TxDefault => i32::from(!common),
                ProfilePurpose::Tx => 1,
            };
            all.install(connector, profile, Some(&charge), began).unwrap();
        }
        let from = noon().plus(TimeDelta::milliseconds(millis * 250));
        let rating = Level::of_deciamperes(320, 3);
        let outlet = Outlet { connector: 1, rating, charge: Some(charge) };
        let in_amperes = all.composite(1, &[outlet], from, 200, RateUnit::Amperes);
        let in_watts = all.composite(1, &[outlet], from, 200, RateUnit::Watts);
        for second in 0..200 {
            let amperes = in_amperes.at(second).unwrap();
            let watts = in_watts.at(second).unwrap();
            // At some moment within the second as well.
            for part in [0, 250, 500, 999] {
                let now = after(from, second).plus(TimeDelta::milliseconds(part));
                let limits = all.in_force(1, Some(&charge), now);
                for limit in [limits.station, limits.own(), Some(rating)].into_iter().flatten() {
                    let told = Level::of(amperes, RateUnit::Amperes);
                    prop_assert!(told.each <= limit.each && told.phases <= limit.phases);
                    let power = limit.to_period(0, RateUnit::Watts);
                    prop_assert!(watts.limit <= power.limit, "{} {:?}", second, watts);
                    // Nothing is promised that is not there, and nothing is withheld for longer than a second.
                }
                let lowest = limits.lowest().map_or(rating, |lowest| lowest.and(rating));
                let changes_soon = |at: Timestamp| {
                    let until = all.in_force(1, Some(&charge), at).until;
                    until.is_some_and(|until| until < after(from, second + 1))
                };
                if !changes_soon(after(from, second)) {
                    prop_assert_eq!(Level::of(amperes, RateUnit::Amperes).deciamperes(), lowest.deciamperes());
                }
            }
        }
    }
}
