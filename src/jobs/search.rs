//! Keeps the index of places up to date: at once with what partners tell this node, within half a second with what
//! changed of late in the database, whoever changed it, and within seconds with everything else.

use crate::app::{App, Event};
use crate::db::DbError;
use crate::driver::places::{Keeper, Look};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

/// How often it looks for what changed of late.
const POLL: Duration = Duration::from_millis(500);
/// How often it looks at everything, at most.
const WHOLE: Duration = Duration::from_secs(2);
/// A look at everything may take this part of the time at most.
const SHARE: u32 = 50;
/// How long news are gathered before they are looked at together.
const GATHER: Duration = Duration::from_millis(50);

/// Runs until it is stopped.
pub async fn run(app: Arc<App>, stop: CancellationToken) {
    // Before the first look, so that nothing is told in between.
    let mut events = app.wakes.events.subscribe();
    let mut keeper = Keeper::default();
    let mut look = Look { whole: true, ..Look::default() };
    let mut whole_at = Instant::now();
    loop {
        if look.whole {
            whole_at = Instant::now();
        }
        let (asked, now) = (std::mem::take(&mut look), app.now());
        // On a thread that may block: reading all documents takes seconds where there are very many.
        let looked = app.db.read(move |conn| {
            let is_new = keeper.look(conn, &asked, now)?;
            Ok::<_, DbError>((keeper, is_new))
        });
        let looked = tokio::select! {
            () = stop.cancelled() => return,
            looked = looked => looked,
        };
        match looked {
            Ok((kept, is_new)) => {
                keeper = kept;
                if is_new {
                    app.search.show(keeper.snapshot());
                }
            }
            Err(error) => {
                tracing::error!(%error, "the places to charge could not be read; beginning anew");
                keeper = Keeper::default();
                look.whole = true;
            }
        }
        let due = tokio::time::sleep(POLL);
        tokio::pin!(due);
        let mut told = false;
        while !told {
            tokio::select! {
                () = stop.cancelled() => return,
                () = &mut due => break,
                event = events.recv() => told = note(&mut look, event),
            }
        }
        if told {
            tokio::time::sleep(GATHER).await;
            while let Ok(event) = events.try_recv() {
                note(&mut look, Ok(event));
            }
        }
        look.whole |= whole_at.elapsed() >= WHOLE.max(keeper.scan().saturating_mul(SHARE));
    }
}

/// Notes what has to be looked at; whether anything has.
fn note(look: &mut Look, event: Result<Event, RecvError>) -> bool {
    match event {
        Ok(Event::LocationTold(party, id)) => look.locations.insert((party, id)),
        Ok(Event::TariffTold(party, id)) => look.tariffs.insert((party, id)),
        Ok(_) => false,
        Err(_) => {
            look.whole = true;
            true
        }
    }
}
