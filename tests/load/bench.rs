//! The controller of a site with stations that do what they are asked at once, so that what is seen is what the
//! controller decides.

use roamwatt::load::control::{Ask, Controller, Event, Finding, Settings};
use roamwatt::load::ledger::{Entry, Millis, Outcome, Trust};
use roamwatt::load::site::Site;

pub(super) const SECOND: Millis = 1_000;
pub(super) const MINUTE: Millis = 60_000;

/// A site whose stations answer at once and whose cars take what they are offered, on the phases that they have.
pub(super) struct Bench {
    pub(super) controller: Controller,
    pub(super) now: Millis,
    /// What each connector was told last, tenths of an ampere.
    pub(super) told: Vec<Option<u32>>,
    /// The phases of each car.
    pub(super) phases: Vec<[bool; 3]>,
    pub(super) charging: Vec<bool>,
    /// What each car takes at the most, amperes.
    pub(super) takes: Vec<f64>,
    pub(super) answers: Outcome,
    pub(super) writes: usize,
    /// What each car has got since it came, kWh.
    pub(super) kwh: Vec<f64>,
}

pub(super) fn site(amps: u32, count: usize, more: &str) -> Site {
    let mut text = format!("id = 'bench'\n{more}\n[[node]]\nid = 'grid'\namps = {amps}\n");
    for at in 0..count {
        text += &format!(
            "[[station]]\nid = 'S{at}'\nparent = 'grid'\n[[station.connector]]\nnumber = 1\namps = 16\n"
        );
    }
    Site::from_toml(&text).unwrap()
}

impl Bench {
    pub(super) fn new(site: Site, trust: Trust) -> Self {
        let count = site.stations.len();
        let page = || {
            let mut page = Entry::new(160);
            page.trust = trust;
            page.default = Some(0);
            Some(page)
        };
        let now = 1_000_000 * SECOND;
        let pages = (0..count).map(|_| page()).collect();
        let mut bench = Self {
            controller: Controller::new(site, Settings::default(), pages, None, now),
            now,
            told: vec![None; count],
            phases: vec![[true; 3]; count],
            charging: vec![false; count],
            takes: vec![16.0; count],
            answers: Outcome::Accepted,
            writes: 0,
            kwh: vec![0.0; count],
        };
        for station in 0..count {
            bench.tell(Event::Online { station });
        }
        bench.pass(SECOND);
        bench
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.controller.handle(&event, self.now);
    }

    pub(super) fn begin(&mut self, leaf: usize) {
        self.charging[leaf] = true;
        let at = self.now;
        self.tell(Event::Began { leaf, transaction: 1 + i32::try_from(leaf).unwrap(), at });
    }

    pub(super) fn tick(&mut self) {
        for order in self.controller.tick(self.now) {
            if let Ask::Grant { leaf, limit, .. } = order.ask {
                self.writes += 1;
                if self.answers == Outcome::Accepted {
                    self.told[leaf] = Some(limit);
                }
            }
            self.tell(Event::Answered { seq: order.seq, outcome: self.answers });
        }
    }

    pub(super) fn draws(&self, leaf: usize) -> f64 {
        let told = f64::from(self.told[leaf].unwrap_or(0)) / 10.0;
        if told < 6.0 { 0.0 } else { told.min(self.takes[leaf]) }
    }

    /// Lets time pass, with a tick and a meter value every five seconds.
    pub(super) fn pass(&mut self, time: Millis) {
        let end = self.now + time;
        while self.now < end {
            let before = self.now;
            self.now = (self.now + 5 * SECOND).min(end);
            for leaf in 0..self.told.len() {
                if self.charging[leaf] {
                    let amps = self.phases[leaf].map(|used| if used { self.draws(leaf) } else { 0.0 });
                    let hours = (self.now - before) as f64 / 3_600_000.0;
                    self.kwh[leaf] += amps.iter().sum::<f64>() * 0.230 * hours;
                    let (amps, kwh, taken) = (amps.map(Some), Some(100.0 + self.kwh[leaf]), self.now);
                    self.tell(Event::Metered { leaf, amps, kwh, taken });
                }
            }
            self.tick();
        }
    }

    pub(super) fn amps(&self, leaf: usize) -> f64 {
        f64::from(self.told[leaf].unwrap_or(0)) / 10.0
    }

    pub(super) fn found(&mut self) -> Vec<(String, Finding)> {
        self.controller.take_reports().into_iter().map(|report| (report.about, report.what)).collect()
    }
}
