//! The CDR does not depend on how often or in which order messages come.

use super::site::Site;
use crate::support::db::{TestDb, on_each_engine};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use roamwatt::domain::cdr::Cdr;

/// What a station sends after its start was answered.
#[derive(Debug, Clone)]
enum Message {
    Meter { second: i64, wh: i64 },
    Status { second: i64, word: &'static str },
    Stop { second: i64, wh: i64 },
}

/// A charge as it happened: rising registers, pauses of the car, one stop.
fn charge() -> impl Strategy<Value = Vec<Message>> {
    let step = (1i64..900, 0i64..4_000, prop::sample::select(vec!["", "", "SuspendedEV", "Charging"]));
    prop::collection::vec(step, 1..8).prop_map(|steps| {
        let (mut second, mut wh, mut messages) = (0, 1_000, Vec::new());
        for (seconds, more, word) in steps {
            second += seconds;
            wh += more;
            messages.push(Message::Meter { second, wh });
            if !word.is_empty() {
                messages.push(Message::Status { second: second + 1, word });
            }
        }
        messages.push(Message::Stop { second: second + 60, wh: wh + 100 });
        messages
    })
}

/// The same messages, some of them twice, in any order: 1.6 lets a station queue and repeat each of them.
fn disorder(messages: Vec<Message>) -> impl Strategy<Value = Vec<Message>> {
    let twice = prop::collection::vec(any::<bool>(), messages.len());
    twice
        .prop_map(move |twice| {
            let again = messages.iter().zip(twice).filter(|(_, twice)| *twice).map(|(message, _)| message);
            messages.iter().chain(again).cloned().collect::<Vec<_>>()
        })
        .prop_shuffle()
}

async fn play(site: &Site, station: usize, messages: &[Message]) {
    let transaction = site.begin(station, &format!("04A{}", 1 + station % 2), 0, 1_000).await.transaction_id;
    for message in messages {
        match *message {
            Message::Meter { second, wh } => site.meter(station, transaction, second, wh).await,
            Message::Status { second, word } => site.status(station, second, word).await,
            Message::Stop { second, wh } => site.end(station, transaction, second, wh).await,
        }
    }
}

/// What must be equal: everything but the names of the charge, its place and its card.
fn compared(mut cdr: Cdr) -> Cdr {
    cdr.id = "".into();
    cdr.session_id = None;
    cdr.cdr_location.evse_uid = "".into();
    cdr.cdr_location.evse_id = "".into();
    cdr.cdr_token.uid = "".into();
    cdr.cdr_token.contract_id = "".into();
    cdr
}

const CASES: usize = 25;

on_each_engine! {
    async fn duplicates_and_any_order_before_it_settles_lead_to_the_same_cdr(db: TestDb) {
        let site = Site::start(db.url(), 2 * CASES, |_| ()).await;
        let mut runner = TestRunner::deterministic();
        let mut played = Vec::new();
        for case in 0..CASES {
            let messages = charge().new_tree(&mut runner).unwrap().current();
            let shuffled = disorder(messages.clone()).new_tree(&mut runner).unwrap().current();
            play(&site, 2 * case, &messages).await;
            play(&site, 2 * case + 1, &shuffled).await;
            played.push((messages, shuffled));
        }
        assert!(site.cdrs().await.is_empty(), "nothing settles before its time");
        site.settle_after(61).await;
        for (case, (messages, shuffled)) in played.iter().enumerate() {
            let straight = compared(site.cdr_at(2 * case).await);
            let disordered = compared(site.cdr_at(2 * case + 1).await);
            assert_eq!(straight, disordered, "{messages:?}\n{shuffled:?}");
        }
        assert!(site.late_messages().await.is_empty());
    }

    async fn what_comes_after_it_settled_is_kept_and_changes_no_cdr(db: TestDb) {
        let site = Site::start(db.url(), 1, |_| ()).await;
        let transaction = site.begin(0, "04A1", 0, 1_000).await.transaction_id;
        site.meter(0, transaction, 60, 1_500).await;
        site.end(0, transaction, 120, 2_000).await;
        site.settle_after(61).await;
        let before = site.cdr_at(0).await;

        // Repetitions are no news.
        site.meter(0, transaction, 60, 1_500).await;
        site.end(0, transaction, 120, 2_000).await;
        assert!(site.late_messages().await.is_empty());

        site.meter(0, transaction, 90, 1_700).await;
        site.meter(0, transaction, 90, 1_700).await;
        site.end(0, transaction, 300, 9_000).await;
        site.meter(0, 4711, 90, 1_700).await;
        site.settle_after(600).await;
        assert_eq!(site.cdr_at(0).await, before);
        let late: Vec<String> = site.late_messages().await.into_iter().map(|late| late.action).collect();
        assert_eq!(late, ["MeterValues", "StopTransaction", "MeterValues"]);
    }
}
