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
/// Members that may hold anything, in DataTransfer and its answer: what vendors put there (cards, contracts, keys)
/// is known to them alone, so none of it is shown, whoever the vendor.
const UNKNOWN: [&str; 1] = ["data"];
/// Configuration keys whose value is a secret.
const SECRET_KEYS: [&str; 2] = ["authorizationkey", "basicauthpassword"];

/// How much of a member's value is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    Tail,
    Nothing,
}

/// A frame without its secrets: of tokens only the last two characters stay, of passwords and of vendors' data
/// nothing. Works on the text, so that a frame that is no JSON is masked too.
fn mask(frame: &str) -> Cow<'_, str> {
    let lower = frame.to_ascii_lowercase();
    let passwords = SECRET_KEYS.iter().any(|key| lower.contains(key));
    // A name may be spelled with escapes.
    if !passwords && !["idtag", "\"data\"", "\\u"].iter().any(|hint| lower.contains(hint)) {
        return Cow::Borrowed(frame);
    }
    let mut out = String::with_capacity(frame.len());
    let mut rest = frame;
    while let Some(at) = rest.find('"') {
        let (before, from_quote) = rest.split_at(at);
        let (text, behind) = from_quote.split_at(end_of_text(from_quote));
        out.push_str(before);
        out.push_str(text);
        rest = behind;
        // Only the name of a member is followed by a colon.
        let Some(value) = behind.trim_start().strip_prefix(':') else { continue };
        let Some(shown) = shown_of(text, passwords) else { continue };
        let value = value.trim_start();
        let (separator, _) = behind.split_at(behind.len() - value.len());
        let (value, behind) = value.split_at(end_of_value(value));
        out.push_str(separator);
        put_masked(&mut out, value, shown);
        rest = behind;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// How much is shown of the member with that quoted name; nothing where it is no secret.
fn shown_of(name: &str, passwords: bool) -> Option<Shown> {
    let name = serde_json::from_str(name).unwrap_or_else(|_| name.trim_matches('"').to_owned());
    let is_one_of = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(&name));
    if is_one_of(&TOKENS) {
        return Some(Shown::Tail);
    }
    (is_one_of(&UNKNOWN) || passwords && is_one_of(&["value"])).then_some(Shown::Nothing)
}

/// Writes what is shown of a value. A null says that there is none.
fn put_masked(out: &mut String, value: &str, shown: Shown) {
    if value.trim_end() == "null" {
        out.push_str(value);
        return;
    }
    out.push_str("\"***");
    if shown == Shown::Tail && value.starts_with('"') {
        let inner: Vec<char> = value.trim_matches('"').chars().collect();
        out.extend(
            inner
                .len()
                .checked_sub(2)
                .filter(|_| inner.len() > 4)
                .iter()
                .flat_map(|from| inner.iter().skip(*from)),
        );
    }
    out.push('"');
}

/// Where the JSON value at the start of `from` ends; at the end of the text, where it was cut off.
fn end_of_value(from: &str) -> usize {
    if from.starts_with('"') {
        return end_of_text(from);
    }
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(c) = from.get(at..).and_then(|rest| rest.chars().next()) {
        match c {
            '"' => {
                at += end_of_text(from.get(at..).unwrap_or_default());
                continue;
            }
            '{' | '[' => depth += 1,
            ',' | '}' | ']' if depth == 0 => return at,
            '}' | ']' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += c.len_utf8();
    }
    from.len()
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
            (
                r#"[2,"1","Authorize",{"idTag":12345678,"a":null}]"#,
                r#"[2,"1","Authorize",{"idTag":"***","a":null}]"#,
            ),
            (
                r#"[2,"1","DataTransfer",{"vendorId":"V","messageId":"M","data":"{\"card\":\"04A2B3C4\"}"}]"#,
                r#"[2,"1","DataTransfer",{"vendorId":"V","messageId":"M","data":"***"}]"#,
            ),
            (
                r#"[2,"1","DataTransfer",{"data" : {"a":["}",{"b":1}]},"vendorId":"V"}]"#,
                r#"[2,"1","DataTransfer",{"data" : "***","vendorId":"V"}]"#,
            ),
            (r#"[3,"1",{"status":"Accepted","data":4711}]"#, r#"[3,"1",{"status":"Accepted","data":"***"}]"#),
            (r#"[3,"1",{"status":"Accepted","data":null}]"#, r#"[3,"1",{"status":"Accepted","data":null}]"#),
            (r#"[2,"1","DataTransfer",{"d\u0061ta":[1,"04A2"#, r#"[2,"1","DataTransfer",{"d\u0061ta":"***""#),
            (
                r#"[2,"data","X",{"x":"data","value":"data"}]"#,
                r#"[2,"data","X",{"x":"data","value":"data"}]"#,
            ),
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
