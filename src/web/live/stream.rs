//! A stream: it looks, sends what is new, and sleeps until it is woken.

use super::watch::Place;
use crate::domain::Timestamp;
use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING};
use actix_web::web::Bytes;
use futures_util::stream::unfold;
use serde::Serialize;
use std::convert::Infallible;
use std::time::Duration;
use tokio::time::Instant;

/// How fast a stream goes when nothing changes.
const PACE: Pace = Pace { beat: Duration::from_secs(15), quiet: Duration::from_secs(30) };
/// How soon a client that lost the stream comes again, milliseconds.
const RETRY: &str = "retry: 3000\n\n";

/// What a stream does by itself.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// How often a comment is sent when there is nothing else, so that nobody in between takes the silence for the end.
    beat: Duration,
    /// How long after its last look it looks though nothing was told.
    quiet: Duration,
}

/// What a look found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Nothing that was not sent.
    Same,
    /// An event.
    Event(String),
    /// An event after which there are no more.
    Last(String),
    /// There are no more.
    End,
}

/// What a stream tells.
pub trait Teller: 'static {
    /// How long a stream may be; then whoever reads connects again.
    const LONGEST: Option<Duration>;

    /// Looks how it stands now. The place is there to watch more.
    fn look(&mut self, place: &mut Place) -> impl Future<Output = Next>;
}

/// An event with its data as JSON.
pub fn event<T: Serialize>(name: &str, id: Option<Timestamp>, data: &T) -> String {
    // JSON has no line breaks outside of texts, and escapes them within.
    let data = serde_json::to_string(data).unwrap_or_else(|_| "null".to_owned());
    let id = id.map_or_else(String::new, |id| format!("id: {}\n", id.millis()));
    format!("event: {name}\n{id}data: {data}\n\n")
}

/// The answer that is a stream.
pub fn answer<T: Teller>(place: Place, teller: T) -> HttpResponse {
    let until = T::LONGEST.map(|longest| Instant::now() + longest);
    let stream = Stream { place, teller, pace: PACE, until, looked: None, done: false };
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        // What is compressed waits in a buffer until there is enough of it.
        .insert_header((CONTENT_ENCODING, "identity"))
        // Proxies that gather answers are asked not to.
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(unfold(stream, Stream::next))
}

/// An open stream.
struct Stream<T> {
    place: Place,
    teller: T,
    pace: Pace,
    until: Option<Instant>,
    /// When it looked last; never before its first piece.
    looked: Option<Instant>,
    done: bool,
}

impl<T: Teller> Stream<T> {
    /// The next piece; none at the end.
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        let beat = Instant::now() + self.pace.beat;
        let begin = if self.looked.is_none() { RETRY } else { "" };
        let mut due = self.looked.is_none();
        loop {
            let now = Instant::now();
            if self.done || self.until.is_some_and(|until| until <= now) {
                return None;
            }
            due |= self.looked.is_some_and(|looked| now.duration_since(looked) >= self.pace.quiet);
            if due {
                self.looked = Some(now);
                let piece = match self.teller.look(&mut self.place).await {
                    Next::Same => None,
                    Next::Event(text) => Some(text),
                    Next::Last(text) => {
                        self.done = true;
                        Some(text)
                    }
                    Next::End => return None,
                };
                if let Some(piece) = piece {
                    return Some((Ok(Bytes::from(format!("{begin}{piece}"))), self));
                }
            }
            if beat <= now {
                return Some((Ok(Bytes::from_static(b": still here\n\n")), self));
            }
            due = tokio::select! {
                () = self.place.stopped() => return None,
                () = self.place.woken() => true,
                () = tokio::time::sleep_until(beat) => false,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::watch::{Live, Topic};
    use super::*;
    use std::collections::VecDeque;
    use std::sync::Arc;
    use tokio_util::sync::CancellationToken;

    /// Tells what it was given, one after the other.
    struct Script(VecDeque<Next>);

    impl Teller for Script {
        const LONGEST: Option<Duration> = None;

        async fn look(&mut self, _place: &mut Place) -> Next {
            self.0.pop_front().unwrap_or(Next::Same)
        }
    }

    fn live(stop: &CancellationToken) -> Arc<Live> {
        Arc::new(Live::new(1, stop.clone()))
    }

    /// The stream of whoever watches the session `s`.
    fn stream(live: &Arc<Live>, quiet: Duration, script: impl IntoIterator<Item = Next>) -> Stream<Script> {
        let mut place = live.open("a", 1).unwrap();
        place.watch(Topic::session("s"));
        let pace = Pace { beat: Duration::from_millis(20), quiet };
        let teller = Script(script.into_iter().collect());
        Stream { place, teller, pace, until: None, looked: None, done: false }
    }

    /// The next piece, which there must be.
    async fn told(stream: Stream<Script>) -> (String, Stream<Script>) {
        let (piece, stream) = stream.next().await.unwrap();
        (String::from_utf8(piece.unwrap().to_vec()).unwrap(), stream)
    }

    fn event(text: &str) -> Next {
        Next::Event(text.to_owned())
    }

    #[tokio::test]
    async fn a_stream_tells_changes_and_that_it_is_there() {
        let live = live(&CancellationToken::new());
        let script = [event("one"), event("two"), event("three"), Next::Last("four".to_owned())];
        let mut stream = stream(&live, Duration::from_secs(3600), script);
        let mut all = Vec::new();
        for change in [false, true, false, false, true, true] {
            if change {
                live.wake(&Topic::session("S"));
            }
            let (piece, next) = told(stream).await;
            all.push(piece);
            stream = next;
        }
        let here = ": still here\n\n";
        assert_eq!(all, ["retry: 3000\n\none", "two", here, here, "three", "four"]);
        assert!(stream.next().await.is_none(), "that was the last");
        assert!(live.open("a", 1).is_ok(), "its place is free");
    }

    #[tokio::test]
    async fn after_a_silence_it_looks_by_itself() {
        let live = live(&CancellationToken::new());
        let (first, stream) =
            told(stream(&live, Duration::ZERO, [event("one"), Next::Same, event("two")])).await;
        assert_eq!(first, "retry: 3000\n\none");
        let (second, mut stream) = told(stream).await;
        assert_eq!(second, "two");
        stream.until = Some(Instant::now());
        assert!(stream.next().await.is_none(), "it is no longer than it may be");
    }

    #[tokio::test]
    async fn a_stop_ends_it_while_it_waits() {
        let node = CancellationToken::new();
        let live = live(&node);
        let (_, mut stream) = told(stream(&live, Duration::from_secs(3600), [event("one")])).await;
        stream.pace.beat = Duration::from_secs(3600);
        let stop = async {
            tokio::task::yield_now().await;
            node.cancel();
        };
        let (next, ()) = tokio::join!(stream.next(), stop);
        assert!(next.is_none());
    }
}
