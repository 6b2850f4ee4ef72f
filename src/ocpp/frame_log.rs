//! The frames of stations that somebody watches, and the connections that were refused, kept for
//! `station log`.
//!
//! Frames are masked and cut before they leave the socket's task, and written by a task of their own, many at a
//! time: whoever watches a station does not slow it down. When too many wait, lines are dropped, not stations.

use crate::clock::Clock;
use crate::db::{Db, DbError, frames};
use crate::domain::Timestamp;
use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

/// Lines that may wait to be written.
const WAITING: usize = 2048;
/// Lines of one write.
const BATCH: usize = 256;
/// Bytes of a frame that are kept.
const LINE: usize = 4096;
/// Lines that are kept in all.
const KEEP: i64 = 10_000;
/// How many new lines there must be before old ones are removed.
const TRIM_EVERY: usize = 500;
/// Refused connections that are kept in a second; more are only counted, so that a flood of them is no flood of
/// writes.
const REFUSED_PER_SECOND: u64 = 20;

/// What happened, as `db::frames` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    In,
    Out,
    Refused,
    Open,
    Close,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
            Self::Refused => "refused",
            Self::Open => "open",
            Self::Close => "close",
        }
    }
}

#[derive(Debug, Clone)]
struct Line {
    station: String,
    at: Timestamp,
    kind: Kind,
    text: String,
}

/// The log of one node.
#[derive(Debug)]
pub(super) struct FrameLog {
    clock: Clock,
    db: Db,
    /// Whether anybody watches anything: asked for every frame, so without a lock.
    any: AtomicBool,
    watched: RwLock<HashSet<String>>,
    refused_this_second: AtomicU64,
    lines: mpsc::Sender<Line>,
    waiting: Mutex<mpsc::Receiver<Line>>,
}

impl FrameLog {
    pub(super) fn new(db: Db, clock: Clock) -> Self {
        let (lines, waiting) = mpsc::channel(WAITING);
        Self {
            clock,
            db,
            any: AtomicBool::new(false),
            watched: RwLock::default(),
            refused_this_second: AtomicU64::new(0),
            lines,
            waiting: Mutex::new(waiting),
        }
    }

    /// Asks who is watched. Called once a second.
    pub(super) async fn refresh(&self) -> Result<(), DbError> {
        self.refused_this_second.store(0, Ordering::Relaxed);
        let now = self.clock.now();
        let watched = self.db.read(move |conn| frames::watched(conn, now)).await?;
        let any = !watched.is_empty();
        *self.watched.write().unwrap_or_else(PoisonError::into_inner) = watched.into_iter().collect();
        self.any.store(any, Ordering::Relaxed);
        Ok(())
    }

    /// Notes a frame, or an open or close, of a station if it is watched.
    pub(super) fn note(&self, station: &str, kind: Kind, text: &str) {
        if !self.any.load(Ordering::Relaxed) {
            return;
        }
        let watched = self.watched.read().unwrap_or_else(PoisonError::into_inner);
        if watched.contains(station) || watched.contains(frames::EVERY_STATION) {
            drop(watched);
            self.put(station, kind, cut(&mask(text), LINE));
        }
    }

    /// Notes a connection that was refused; the reason holds nothing secret.
    pub(super) fn note_refused(&self, called_itself: &str, reason: &str) {
        if self.refused_this_second.fetch_add(1, Ordering::Relaxed) < REFUSED_PER_SECOND {
            let shown: String = called_itself.chars().filter(|c| !c.is_control()).take(60).collect();
            self.put(&shown, Kind::Refused, cut(reason, LINE));
        }
    }

    fn put(&self, station: &str, kind: Kind, text: &str) {
        let line = Line { station: station.to_owned(), at: self.clock.now(), kind, text: text.to_owned() };
        if self.lines.try_send(line).is_err() {
            tracing::debug!(station, "a line of the frame log was dropped: too many wait");
        }
    }

    /// Writes the lines until told to stop, and those that wait then.
    pub(super) async fn run(&self, stop: CancellationToken) {
        let mut waiting = self.waiting.lock().await;
        let mut since_trim = 0;
        loop {
            let mut batch = Vec::new();
            tokio::select! {
                _ = waiting.recv_many(&mut batch, BATCH) => {}
                () = stop.cancelled() => {
                    while batch.len() < WAITING && let Ok(line) = waiting.try_recv() {
                        batch.push(line);
                    }
                    self.write(batch, false).await;
                    return;
                }
            }
            since_trim += batch.len();
            let trim = since_trim >= TRIM_EVERY;
            if trim {
                since_trim = 0;
            }
            self.write(batch, trim).await;
        }
    }

    async fn write(&self, batch: Vec<Line>, trim: bool) {
        if batch.is_empty() {
            return;
        }
        let written: Result<(), DbError> = self
            .db
            .write(move |conn| {
                for line in &batch {
                    frames::add(conn, &line.station, line.at, line.kind.as_str(), &line.text)?;
                }
                if trim {
                    frames::trim(conn, KEEP)?;
                }
                Ok(())
            })
            .await;
        if let Err(error) = written {
            tracing::warn!(%error, "lines of the frame log were lost");
        }
    }
}

/// The first bytes of a text, at a character's end.
fn cut(text: &str, most: usize) -> &str {
    text.get(..text.floor_char_boundary(most)).unwrap_or(text)
}

/// Members whose text names a person's token.
const TOKENS: [&str; 3] = ["idTag", "parentIdTag", "authorizationKey"];
/// Configuration keys whose value is a secret.
const SECRET_KEYS: [&str; 2] = ["authorizationkey", "basicauthpassword"];

/// A frame without its secrets: of tokens only the last two characters stay, of passwords nothing. Works on the
/// text, so that a frame that is no JSON is masked too.
fn mask(frame: &str) -> Cow<'_, str> {
    let lower = frame.to_ascii_lowercase();
    let passwords = SECRET_KEYS.iter().any(|key| lower.contains(key));
    if !passwords && !lower.contains("idtag") {
        return Cow::Borrowed(frame);
    }
    let mut out = String::with_capacity(frame.len());
    let mut rest = frame;
    // What the last text was, while a colon may follow it.
    let mut name: Option<String> = None;
    let mut after_colon = false;
    while let Some(at) = rest.find('"') {
        let (before, from_quote) = rest.split_at(at);
        match before.trim() {
            ":" if name.is_some() => after_colon = true,
            _ => name = None,
        }
        out.push_str(before);
        let end = end_of_text(from_quote);
        let (text, behind) = from_quote.split_at(end);
        let inner = text.get(1..).unwrap_or_default();
        let inner = inner.strip_suffix('"').unwrap_or(inner);
        let secret = name.take().filter(|_| after_colon);
        after_colon = false;
        match secret.as_deref() {
            Some(key) if passwords && (key == "value" || key == "data") => out.push_str("\"***\""),
            Some(key) if TOKENS.iter().any(|token| token.eq_ignore_ascii_case(key)) => {
                let tail: Vec<char> = inner.chars().rev().take(2).collect();
                let shown = if inner.chars().count() > 4 { tail } else { Vec::new() };
                out.push_str("\"***");
                out.extend(shown.into_iter().rev());
                out.push('"');
            }
            _ => {
                out.push_str(text);
                // A value is no name: only what nothing stands before in its pair can be one.
                if secret.is_none() {
                    name = Some(serde_json::from_str(text).unwrap_or_else(|_| inner.to_owned()));
                }
            }
        }
        rest = behind;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Where the quoted text at the start of `from` ends, its quote included.
fn end_of_text(from: &str) -> usize {
    let mut escaped = false;
    for (at, c) in from.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    from.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_passwords_are_masked_and_nothing_else() {
        for (frame, masked) in [
            (r#"[2,"1","Heartbeat",{}]"#, r#"[2,"1","Heartbeat",{}]"#),
            (r#"[2,"1","Authorize",{"idTag" : "04A2B3C4"}]"#, r#"[2,"1","Authorize",{"idTag" : "***C4"}]"#),
            (
                r#"[3,"1",{"idTagInfo":{"parentIdTag":"GROUP1","status":"Accepted"}}]"#,
                r#"[3,"1",{"idTagInfo":{"parentIdTag":"***P1","status":"Accepted"}}]"#,
            ),
            (
                r#"[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"73\"cret"}]"#,
                r#"[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"***"}]"#,
            ),
            (
                r#"[3,"1",{"configurationKey":[{"value":"s3cret","readonly":false,"key":"authorizationKEY"}]}]"#,
                r#"[3,"1",{"configurationKey":[{"value":"***","readonly":false,"key":"authorizationKEY"}]}]"#,
            ),
            (r#"[2,"1","Authorize",{"idTag":"04A2B3C4"#, r#"[2,"1","Authorize",{"idTag":"***C4""#),
            (r#"[2,"1","A",{"idtag":"abc"}]"#, r#"[2,"1","A",{"idtag":"***"}]"#),
            (r#"[2,"idTag","Authorize",{"x":"idTag"}]"#, r#"[2,"idTag","Authorize",{"x":"idTag"}]"#),
        ] {
            assert_eq!(mask(frame), masked);
        }
        assert!(!mask(r#"{"id\u0054ag":"04A2B3C4","idTag":1}"#).contains("04A2B3C4"));
    }

    #[test]
    fn a_frame_is_cut_at_a_character() {
        assert_eq!(cut("aäb", 2), "a");
        assert_eq!(cut("aäb", 3), "aä");
        assert_eq!(cut("aäb", 30), "aäb");
    }
}
