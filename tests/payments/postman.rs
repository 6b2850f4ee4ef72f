//! Who brings the provider's messages to a node, badly: they are lost, come twice, late, behind later ones, and the
//! connection is cut before or after they arrive. What is not answered is sent again, as Stripe does.

use super::fake::{Fake, Message, message};
use super::proxy::{Line, Proxy};
use roamwatt::clock::Clock;
use std::sync::Arc;
use std::time::Duration;

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is never sent.
    Lost,
    /// It comes behind the next one, or when none comes for a while.
    Behind,
    /// It is sent again though it was answered.
    Again,
    /// It meets that on the line.
    Line(Line),
}

/// So many rounds without a new message a message waits that is to come behind the next one.
const ROUNDS: usize = 20;

/// The postman. He ends with the test.
pub(crate) struct Postman {
    proxy: Arc<Proxy>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Postman {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Postman {
    /// Brings the messages of a provider to the node of that address; their fates come in turn.
    pub(crate) async fn start(fake: &Fake, node: &str, clock: Clock, fates: &[Fate]) -> Self {
        let proxy = Arc::new(Proxy::to(node).await);
        let (line, fake, fates) = (Arc::clone(&proxy), fake.clone(), fates.to_vec());
        let task = tokio::spawn(async move { run(&fake, &line, &clock, &fates).await });
        Self { proxy, task }
    }

    /// Nothing went wrong with him himself.
    pub(crate) fn is_at_work(&self) -> bool {
        !self.task.is_finished()
    }

    /// The node is elsewhere now.
    pub(crate) fn goes_to(&self, node: &str) {
        self.proxy.lead_to(node);
    }
}

async fn run(fake: &Fake, proxy: &Proxy, clock: &Clock, fates: &[Fate]) {
    let mut fates = fates.iter().cycle();
    let (mut behind, mut idle): (Vec<Message>, usize) = (Vec::new(), 0);
    loop {
        let messages = fake.take_messages();
        idle = if messages.is_empty() { idle + 1 } else { 0 };
        for message in messages {
            match fates.next().unwrap() {
                Fate::Lost => continue,
                Fate::Behind => {
                    behind.push(message);
                    continue;
                }
                Fate::Again => {
                    deliver(proxy, clock, &message).await;
                    deliver(proxy, clock, &message).await;
                }
                Fate::Line(line) => {
                    proxy.be([*line]);
                    deliver(proxy, clock, &message).await;
                }
            }
            for late in behind.drain(..) {
                deliver(proxy, clock, &late).await;
            }
        }
        if idle > ROUNDS {
            for late in behind.drain(..) {
                deliver(proxy, clock, &late).await;
            }
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Sends a message until it is answered.
async fn deliver(proxy: &Proxy, clock: &Clock, sent: &Message) {
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
    loop {
        let now = clock.now().millis() / 1000;
        let (signature, body) =
            message(&sent.id, sent.kind, sent.object.clone(), sent.account.as_deref(), now);
        let request = client.post(format!("{}/payments/webhooks/stripe", proxy.url)).body(body);
        let request =
            request.header("Stripe-Signature", signature).header("Content-Type", "application/json");
        match request.send().await {
            Ok(answer) if answer.status() == 200 => return,
            Ok(answer) => assert!(answer.status().is_server_error(), "{}", answer.status()),
            Err(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
