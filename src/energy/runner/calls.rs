//! The way of a site's orders: into the database first where they raise, to the stations' lines, and back.

use super::super::feed::{Known, Notice, answer};
use super::super::profiles;
use super::Runner;
use crate::charging::StationAnswer;
use crate::db::load as stored;
use crate::domain::station::StationId;
use crate::load::control::{Ask, Event, Order};
use crate::load::ledger::{Entry, Outcome};
use std::sync::Arc;
use tokio::sync::oneshot;

impl Runner {
    pub(super) fn send(&mut self, order: Order) {
        let replaced = self.desks.get_mut(order.station).map(|desk| desk.put(order));
        self.answer_all(replaced.unwrap_or_default(), Outcome::Unsent);
    }

    /// Starts to make durable what has changed, unless that goes on already: pages must not overtake each other.
    pub(super) fn persist(&mut self) {
        if self.persisting || self.pages.is_empty() {
            if self.pages.is_empty() && !self.persisting {
                let held = std::mem::take(&mut self.held);
                held.into_iter().for_each(|order| self.send(order));
                std::mem::take(&mut self.replies).into_iter().for_each(|reply| answer(reply, Known::Yes));
            }
            return;
        }
        self.persisting = true;
        let outlets = &self.controller.rows().outlets;
        let pages: Vec<(String, i32, Entry)> = std::mem::take(&mut self.pages)
            .into_iter()
            .filter_map(|(leaf, entry)| {
                let outlet = outlets.get(leaf)?;
                Some((outlet.station.to_string(), outlet.connector, entry))
            })
            .collect();
        let (orders, replies) = (std::mem::take(&mut self.held), std::mem::take(&mut self.replies));
        let (app, site) = (Arc::clone(&self.app), self.id.clone());
        tokio::spawn(async move {
            let written = app.db.write(move |conn| stored::keep_pages(conn, &pages)).await;
            if let Err(error) = &written {
                tracing::error!(site, %error, "the load ledger cannot be written: no limit is raised");
            }
            app.energy.tell(Notice::Persisted { site, orders, replies, durable: written.is_ok() });
        });
    }

    /// What was to become durable is, or is not. Orders that something newer has replaced meanwhile are dropped.
    pub(in crate::energy) fn persisted(
        &mut self,
        orders: Vec<Order>,
        replies: Vec<oneshot::Sender<Known>>,
        durable: bool,
    ) {
        self.persisting = false;
        let known = if durable { Known::Yes } else { Known::NotKept };
        replies.into_iter().for_each(|reply| answer(reply, known));
        if !durable {
            // Everything is written again, so that what could not be is not forgotten.
            let entries = self.controller.ledger().entries().iter().cloned().enumerate();
            self.pages = entries.collect();
        }
        for order in orders {
            if durable && self.is_current(&order) {
                self.send(order);
            } else {
                self.answer_all(vec![order], Outcome::Unsent);
            }
        }
    }

    fn is_current(&self, order: &Order) -> bool {
        match &order.ask {
            Ask::Grant { leaf, .. } => {
                let entry = self.controller.ledger().entry(*leaf);
                entry.and_then(|entry| entry.held.last()).is_some_and(|held| held.seq == order.seq)
            }
            _ => true,
        }
    }

    pub(super) fn start_calls(&mut self) {
        let now = self.now();
        for (place, desk) in self.desks.iter_mut().enumerate() {
            let Some(order) = desk.next() else { continue };
            let described = self.controller.site().stations.get(place);
            let station = described.and_then(|station| StationId::parse(&station.id).ok());
            let leaf = match &order.ask {
                Ask::StationMost { .. } => None,
                Ask::Default { leaf, .. }
                | Ask::Grant { leaf, .. }
                | Ask::Composite { leaf }
                | Ask::Meter { leaf } => Some(*leaf),
            };
            let outlets = &self.controller.rows().outlets;
            let outlet = match leaf {
                Some(leaf) => outlets.get(leaf),
                None => outlets
                    .iter()
                    .find(|outlet| described.is_some_and(|station| *station.id == *outlet.station)),
            };
            let (Some(station), Some(outlet)) = (station, outlet.cloned()) else { continue };
            let (app, site) = (Arc::clone(&self.app), self.id.clone());
            tokio::spawn(async move {
                let answer =
                    app.stations.call(&station, profiles::call(&order.ask, &outlet, now), None).await;
                let outcome = profiles::outcome(&answer);
                if outcome != Outcome::Accepted {
                    tracing::info!(%station, ask = ?order.ask, ?outcome, ?answer, "a limit was not taken");
                }
                let composite = match &answer {
                    Ok(StationAnswer::Composite { status, schedule }) if status == "Accepted" => {
                        schedule.as_ref().and_then(|schedule| profiles::limit_now(schedule, &outlet))
                    }
                    _ => None,
                };
                app.energy.tell(Notice::Done { site, order, outcome, composite });
            });
        }
    }

    /// An order has its answer.
    pub(in crate::energy) fn done(
        &mut self,
        order: &Order,
        outcome: Outcome,
        composite: Option<Option<u32>>,
    ) {
        if let Some(desk) = self.desks.get_mut(order.station) {
            desk.free();
        }
        self.handle(&Event::Answered { seq: order.seq, outcome });
        if let (Ask::Composite { leaf }, Some(limit)) = (&order.ask, composite) {
            let asked = self.now().millis();
            self.handle(&Event::Composite { leaf: *leaf, limit, asked });
        }
    }
}
