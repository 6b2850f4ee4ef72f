//! A model of a site in which everything that can go wrong does, in every order: messages are lost, answers come
//! late or never, stations refuse, boot, drop out and ignore, cars are slow, meters are silent, the node restarts
//! and forgets what was not durable. Whatever happens, what flows stays below the cap.
//!
//! The stations of the model know nothing of the ledger. They do what OCPP 1.6 says of charging profiles (3.13), and
//! within that whatever is worst.

use roamwatt::load::control::{Ask, Controller, Event, Order, Settings};
use roamwatt::load::ledger::{Entry, Millis, Outcome, Tenths};
use roamwatt::load::site::Site;
use std::collections::HashSet;
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A TxProfile in a station.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Profile {
    transaction: i32,
    limit: Tenths,
    until: Millis,
    then: Tenths,
}

/// A station with one connector, as it is and not as anybody thinks it is.
#[derive(Debug, Clone, PartialEq, Hash)]
struct Station {
    nameplate: Tenths,
    obeys: bool,
    connected: bool,
    default: Option<Tenths>,
    profile: Option<Profile>,
    transaction: Option<i32>,
    /// The charge that the node's database knows to go on: it is durable before the station is answered.
    charge: Option<i32>,
    drawing: Tenths,
    /// Since when the car draws more than its limit.
    over_since: Option<Millis>,
    /// What is on the way to it, oldest first.
    inbox: VecDeque<Message>,
    /// What it answered and the node has not heard yet; whether the node gave up waiting.
    answers: VecDeque<(u64, Outcome, bool)>,
}

#[derive(Debug, Clone, PartialEq, Hash)]
struct Message {
    seq: u64,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum What {
    Default(Tenths),
    Grant(Profile),
    Other,
}

impl Station {
    /// The limit that holds now.
    fn limit(&self, now: Millis) -> Tenths {
        if self.transaction.is_none() {
            return 0;
        }
        if !self.obeys {
            return self.nameplate;
        }
        let profile = self.profile.filter(|profile| Some(profile.transaction) == self.transaction);
        let by_profile =
            profile.map(|profile| if now < profile.until { profile.limit } else { profile.then });
        by_profile.or(self.default).unwrap_or(self.nameplate).min(self.nameplate)
    }

    /// A car takes more at once; less only when it gets to it, at the latest after ten seconds (IEC 61851-1 gives
    /// it five).
    fn live(&mut self, now: Millis) {
        let limit = self.limit(now);
        self.drawing = if self.transaction.is_none() { 0 } else { self.drawing.max(limit) };
        self.over_since = if self.drawing > limit { self.over_since.or(Some(now)) } else { None };
        if self.over_since.is_some_and(|since| now >= since + 10 * SECOND) {
            self.drawing = limit;
            self.over_since = None;
        }
    }

    fn take(&mut self, message: &Message, refuses: bool) {
        let outcome = match message.what {
            _ if refuses => Outcome::Rejected,
            What::Default(limit) => {
                self.default = Some(limit);
                Outcome::Accepted
            }
            What::Grant(profile) if Some(profile.transaction) == self.transaction => {
                self.profile = Some(profile);
                Outcome::Accepted
            }
            // OCPP 1.6, 5.16: a TxProfile without its transaction is rejected.
            What::Grant(_) => Outcome::Rejected,
            What::Other => Outcome::Accepted,
        };
        self.answers.push_back((message.seq, outcome, false));
    }
}

/// What can happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Tick,
    Deliver(usize),
    Refuse(usize),
    LoseMessage(usize),
    Answer(usize),
    GiveUpWaiting(usize),
    LoseAnswer(usize),
    CarFollows(usize),
    Meter(usize),
    DropOut(usize),
    ComeBack(usize),
    Boot(usize),
    Begin(usize),
    End(usize),
    RestartNode,
    Wait(Millis),
}

/// The site, its stations, the network between, and the database.
#[derive(Clone)]
struct World {
    now: Millis,
    cap: Tenths,
    site: Site,
    controller: Controller,
    durable: Vec<Option<Entry>>,
    stations: Vec<Station>,
    next_transaction: i32,
}

const SECOND: Millis = 1_000;

fn site(cap: u32, nameplates: &[u32], fallback: u32) -> Site {
    let mut text = format!("id = 'model'\n[[node]]\nid = 'grid'\namps = {cap}\n");
    for (at, amps) in nameplates.iter().enumerate() {
        text += &format!(
            "[[station]]\nid = 'S{at}'\nparent = 'grid'\n[[station.connector]]\nnumber = 1\namps = {amps}\nfallback_amps = {fallback}\n"
        );
    }
    Site::from_toml(&text).unwrap()
}

impl World {
    /// Every station is connected and has confirmed its standing limits; no car is there.
    fn new(cap: u32, nameplates: &[u32], fallback: u32, obey: &[bool]) -> Self {
        let site = site(cap, nameplates, fallback);
        let station = |(nameplate, obeys): (&u32, &bool)| Station {
            nameplate: nameplate * 10,
            obeys: *obeys,
            connected: true,
            default: None,
            profile: None,
            transaction: None,
            charge: None,
            drawing: 0,
            over_since: None,
            inbox: VecDeque::new(),
            answers: VecDeque::new(),
        };
        let now = 1_000_000 * SECOND;
        let mut world = Self {
            now,
            cap: cap * 10,
            controller: Controller::new(site.clone(), Settings::default(), Vec::new(), None, now),
            durable: vec![None; nameplates.len()],
            stations: nameplates.iter().zip(obey).map(station).collect(),
            site,
            next_transaction: 1,
        };
        for station in 0..world.stations.len() {
            world.controller.handle(&Event::Online { station }, now);
        }
        world.settle();
        world
    }

    /// Lets everything go well until nothing is on its way.
    fn settle(&mut self) {
        for _ in 0..6 {
            self.take(Step::Tick);
            for station in 0..self.stations.len() {
                while !self.stations[station].inbox.is_empty() {
                    self.take(Step::Deliver(station));
                }
                while !self.stations[station].answers.is_empty() {
                    self.take(Step::Answer(station));
                }
                self.take(Step::CarFollows(station));
                self.take(Step::Wait(SECOND));
                self.take(Step::Meter(station));
            }
        }
    }

    fn flows(&self) -> Tenths {
        self.stations.iter().map(|station| station.drawing).sum()
    }

    /// Every step that can be taken now.
    fn steps(&self) -> Vec<Step> {
        let mut steps = vec![Step::Tick, Step::Wait(5 * SECOND), Step::Wait(330 * SECOND), Step::RestartNode];
        for (at, station) in self.stations.iter().enumerate() {
            if !station.inbox.is_empty() {
                steps.extend([Step::Deliver(at), Step::Refuse(at), Step::LoseMessage(at)]);
            }
            if let Some((_, _, gave_up)) = station.answers.front() {
                steps.extend([Step::Answer(at), Step::LoseAnswer(at)]);
                if !gave_up {
                    steps.push(Step::GiveUpWaiting(at));
                }
            }
            if station.drawing > station.limit(self.now) {
                steps.push(Step::CarFollows(at));
            }
            steps.push(if station.connected { Step::DropOut(at) } else { Step::ComeBack(at) });
            match station.transaction {
                Some(_) => steps.push(Step::End(at)),
                None => steps.push(Step::Begin(at)),
            }
            if station.connected {
                steps.push(Step::Boot(at));
                if station.transaction.is_some() {
                    steps.push(Step::Meter(at));
                }
            }
        }
        steps
    }

    fn tell(&mut self, event: &Event) {
        self.controller.handle(event, self.now);
    }

    fn persist(&mut self) {
        for (leaf, entry) in self.controller.take_changed() {
            // As the database keeps it.
            let text = serde_json::to_string(&entry).unwrap();
            self.durable[leaf] = Some(serde_json::from_str(&text).unwrap());
        }
    }

    fn send(&mut self, order: &Order) {
        let what = match order.ask {
            Ask::Default { limit, .. } => What::Default(limit),
            Ask::Grant { transaction, limit, until, then, .. } => {
                What::Grant(Profile { transaction, limit, until, then })
            }
            _ => What::Other,
        };
        self.stations[order.station].inbox.push_back(Message { seq: order.seq, what });
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Tick => {
                let orders = self.controller.tick(self.now);
                // What lowers is sent before anything is durable; what raises, after.
                let (raising, lowering): (Vec<_>, Vec<_>) = orders.iter().partition(|order| order.raises);
                lowering.into_iter().for_each(|order| self.send(order));
                self.persist();
                raising.into_iter().for_each(|order| self.send(order));
            }
            Step::Deliver(at) | Step::Refuse(at) => {
                if let Some(message) = self.stations[at].inbox.pop_front() {
                    self.stations[at].take(&message, matches!(step, Step::Refuse(_)));
                }
            }
            Step::LoseMessage(at) => {
                if let Some(message) = self.stations[at].inbox.pop_front() {
                    self.tell(&Event::Answered { seq: message.seq, outcome: Outcome::Lost });
                }
            }
            Step::Answer(at) => {
                if let Some((seq, outcome, _)) = self.stations[at].answers.pop_front() {
                    self.tell(&Event::Answered { seq, outcome });
                }
            }
            Step::GiveUpWaiting(at) => {
                if let Some((seq, _, gave_up)) = self.stations[at].answers.front_mut() {
                    *gave_up = true;
                    let seq = *seq;
                    self.tell(&Event::Answered { seq, outcome: Outcome::Lost });
                }
            }
            Step::LoseAnswer(at) => {
                if let Some((seq, _, _)) = self.stations[at].answers.pop_front() {
                    self.tell(&Event::Answered { seq, outcome: Outcome::Lost });
                }
            }
            Step::CarFollows(at) => {
                let limit = self.stations[at].limit(self.now);
                let station = &mut self.stations[at];
                station.drawing = station.drawing.min(limit);
            }
            Step::Meter(at) => {
                if self.stations[at].transaction.is_some() {
                    let amps = f64::from(self.stations[at].drawing) / 10.0;
                    let event =
                        Event::Metered { leaf: at, amps: [Some(amps); 3], kwh: None, taken: self.now };
                    self.tell(&event);
                }
            }
            Step::DropOut(at) => self.drop_out(at),
            Step::ComeBack(at) => {
                self.stations[at].connected = true;
                self.tell(&Event::Online { station: at });
                self.tell_transaction(at);
            }
            Step::Boot(at) => {
                self.drop_out(at);
                self.stations[at].connected = true;
                self.tell(&Event::Online { station: at });
                self.tell(&Event::Booted { station: at });
                self.tell_transaction(at);
            }
            Step::Begin(at) => self.begin(at),
            Step::End(at) => {
                if let Some(transaction) = self.stations[at].transaction.take() {
                    let station = &mut self.stations[at];
                    station.profile = None;
                    station.drawing = 0;
                    if station.connected {
                        station.charge = None;
                        self.tell(&Event::Ended { leaf: at, transaction });
                    }
                }
            }
            Step::RestartNode => self.restart(),
            Step::Wait(time) => {
                // In small steps, so that a limit that ends in between is noticed when it does.
                for _ in 0..time / (5 * SECOND) {
                    self.now += 5 * SECOND;
                    let now = self.now;
                    self.stations.iter_mut().for_each(|station| station.live(now));
                }
                self.now += time % (5 * SECOND);
            }
        }
        let now = self.now;
        self.stations.iter_mut().for_each(|station| station.live(now));
    }

    /// What was on its way may have arrived all the same: the first message did, the rest did not.
    fn drop_out(&mut self, at: usize) {
        let station = &mut self.stations[at];
        if !station.connected {
            return;
        }
        station.connected = false;
        let inbox = std::mem::take(&mut station.inbox);
        if let Some(message) = inbox.front() {
            station.take(message, false);
        }
        let answers = std::mem::take(&mut station.answers);
        let unanswered =
            inbox.iter().map(|message| message.seq).chain(answers.iter().map(|(seq, _, _)| *seq));
        for seq in unanswered.collect::<Vec<_>>() {
            self.tell(&Event::Answered { seq, outcome: Outcome::Lost });
        }
        self.tell(&Event::Offline { station: at });
    }

    fn begin(&mut self, at: usize) {
        // Online, a driver is let in by the node; offline, by a station that has its standing limit and obeys.
        let connected = self.stations[at].connected;
        let may = if connected {
            self.tell(&Event::Authorized { leaf: at });
            self.controller.admit(at, self.now)
        } else {
            self.stations[at].default.is_some() && self.stations[at].obeys
        };
        if may {
            self.stations[at].transaction = Some(self.next_transaction);
            self.next_transaction += 1;
            if connected {
                self.tell_transaction(at);
            }
        }
    }

    /// A station that comes back tells what it began and ended meanwhile.
    fn tell_transaction(&mut self, at: usize) {
        let known = self.controller.ledger().entry(at).and_then(|entry| entry.transaction);
        let goes_on = self.stations[at].transaction;
        self.stations[at].charge = goes_on;
        if let Some(ended) = known.filter(|known| Some(*known) != goes_on) {
            self.tell(&Event::Ended { leaf: at, transaction: ended });
        }
        if let Some(transaction) = goes_on {
            self.tell(&Event::Began { leaf: at, transaction, at: self.now });
        }
    }

    fn restart(&mut self) {
        let known = self.durable.clone();
        self.controller = Controller::new(self.site.clone(), Settings::default(), known, None, self.now);
        for at in 0..self.stations.len() {
            if let Some(transaction) = self.stations[at].charge {
                self.tell(&Event::Began { leaf: at, transaction, at: self.now });
            }
            let station = &mut self.stations[at];
            // Nobody waits for these answers any more; what was on its way may still arrive.
            station.answers.clear();
            if station.connected {
                if let Some(message) = station.inbox.pop_front() {
                    station.take(&message, false);
                    station.answers.clear();
                }
                station.inbox.clear();
                self.tell(&Event::Online { station: at });
                self.tell_transaction(at);
            }
        }
    }

    fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        format!("{:?}", self.controller).hash(&mut hasher);
        self.stations.hash(&mut hasher);
        self.now.hash(&mut hasher);
        hasher.finish()
    }

    fn check(&self, path: &[Step]) {
        assert!(
            self.flows() <= self.cap,
            "{} of {} tenths of an ampere flow after {path:?}:\n{:#?}\n{:#?}",
            self.flows(),
            self.cap,
            self.stations,
            self.controller.ledger().entries(),
        );
    }
}

/// Looks at every state that can be reached in so many steps; how many there were.
fn explore(start: &World, depth: usize) -> usize {
    let mut seen = HashSet::new();
    let mut edge = vec![(start.clone(), Vec::new())];
    for _ in 0..depth {
        let mut next = Vec::new();
        for (world, path) in &edge {
            for step in world.steps() {
                let mut after = world.clone();
                after.take(step);
                let mut path: Vec<Step> = path.clone();
                path.push(step);
                after.check(&path);
                if seen.insert(after.digest()) {
                    next.push((after, path));
                }
            }
        }
        edge = next;
    }
    seen.len()
}

/// Two cars on a board that feeds one: one charges with all of it, the other has just come.
fn one_charges_and_one_comes(fallback: u32) -> World {
    let mut world = World::new(20, &[16, 16], fallback, &[true, true]);
    world.take(Step::Begin(0));
    world.settle();
    world.take(Step::Wait(130 * SECOND));
    world.settle();
    world.take(Step::Wait(310 * SECOND));
    world.settle();
    world
}

#[test]
fn no_interleaving_of_a_new_car_exceeds_the_cap() {
    let world = one_charges_and_one_comes(0);
    assert!(world.flows() >= 150, "the first car has the board: {}", world.flows());
    let mut comes = world.clone();
    comes.take(Step::Begin(1));
    assert!(explore(&comes, 4) > 1_000);
    assert!(explore(&world, 4) > 1_000);
    // The first car was told to make room.
    comes.take(Step::Tick);
    comes.take(Step::Deliver(0));
    assert!(explore(&comes, 5) > 10_000);
}

#[test]
fn no_interleaving_exceeds_the_cap_where_cars_may_charge_without_the_node() {
    let world = one_charges_and_one_comes(7);
    assert!(explore(&world, 4) > 1_000);
}

#[test]
fn no_interleaving_exceeds_the_cap_while_two_share() {
    let mut world = one_charges_and_one_comes(0);
    for _ in 0..4 {
        world.take(Step::Begin(1));
        world.settle();
        world.take(Step::Wait(130 * SECOND));
    }
    assert!(world.stations.iter().all(|station| station.drawing >= 60), "{:?}", world.stations);
    assert!(explore(&world, 4) > 1_000);
}

#[test]
fn no_long_walk_exceeds_the_cap() {
    let walks: u64 = 400;
    let mut most = 0;
    for seed in 0..walks {
        let mut random = fastrand::Rng::with_seed(seed);
        let obey = [true, random.bool(), true];
        let fallback = if random.bool() { 0 } else { 6 };
        let mut world = World::new(32, &[16, 16, 16], fallback, &obey);
        let mut path = Vec::new();
        for _ in 0..300 {
            let steps = world.steps();
            // Things go well half of the time, or else nothing would ever charge.
            let well = [Step::Tick, Step::Wait(5 * SECOND)].into_iter().chain((0..3).flat_map(|at| {
                [Step::Deliver(at), Step::Answer(at), Step::CarFollows(at), Step::Meter(at), Step::Begin(at)]
            }));
            let well: Vec<Step> = well.filter(|step| steps.contains(step)).collect();
            let from = if random.u8(..) < 200 { &well } else { &steps };
            let step = from[random.usize(..from.len())];
            path.push(step);
            world.take(step);
            world.check(&path);
            most = most.max(world.flows());
        }
    }
    assert!(most > 200, "cars charged: at most {most} tenths of an ampere flowed");
}
