//! Pages of lists (OCPI 2.2.1 transport_and_format, "Pagination").

use crate::domain::Timestamp;
use url::form_urlencoded;

/// Link to the next page.
pub const LINK: &str = "Link";
/// Objects that match in all, not on this page.
pub const TOTAL_COUNT: &str = "X-Total-Count";
/// Objects that a page holds at most.
pub const LIMIT: &str = "X-Limit";

/// Why the parameters of a list cannot be used; 2001 for the sender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("parameter {parameter}: '{found}' is not {wanted}")]
pub struct PagingError {
    /// Its name.
    pub parameter: &'static str,
    /// Its value as it came, at most 40 characters.
    pub found: String,
    /// What would be right.
    pub wanted: &'static str,
}

impl PagingError {
    fn new(parameter: &'static str, found: &str, wanted: &'static str) -> Self {
        Self { parameter, found: found.chars().take(40).collect(), wanted }
    }
}

/// Which part of a list is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PageQuery {
    /// Number of objects before the page.
    pub offset: u64,
    /// Objects wanted at most.
    pub limit: Option<u64>,
    /// Objects last updated then or later.
    pub date_from: Option<Timestamp>,
    /// Objects last updated before then.
    pub date_to: Option<Timestamp>,
}

impl PageQuery {
    /// Reads the query of a URL (what follows the `?`). Parameters that are not of paging are left alone, an
    /// empty one counts as left out.
    ///
    /// # Errors
    /// Names the first parameter that is wrong, e.g. `limit` when it is -1.
    pub fn parse(query: &str) -> Result<Self, PagingError> {
        let mut page = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let value = value.trim();
            if value.is_empty() {
                continue;
            }
            match &*name {
                "offset" => page.offset = count("offset", value, 0, "a number, 0 or more")?,
                "limit" => page.limit = Some(count("limit", value, 1, "a number, 1 or more")?),
                "date_from" => page.date_from = Some(time("date_from", value)?),
                "date_to" => page.date_to = Some(time("date_to", value)?),
                _ => {}
            }
        }
        Ok(page)
    }

    /// How many objects the page holds at most, where the server gives at most `most`.
    #[must_use]
    pub fn size(&self, most: u64) -> u64 {
        self.limit.unwrap_or(most).min(most)
    }

    /// Whether the whole list is asked for, from its beginning and of any time: only a complete pull tells
    /// that an absent object is gone.
    #[must_use]
    pub fn is_unfiltered(&self) -> bool {
        self.date_from.is_none() && self.date_to.is_none()
    }

    /// This query as it stands in a URL.
    #[must_use]
    pub fn to_query(&self) -> String {
        let Self { offset, limit, date_from, date_to } = self;
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("offset", &offset.to_string());
        if let Some(limit) = limit {
            query.append_pair("limit", &limit.to_string());
        }
        for (name, time) in [("date_from", date_from), ("date_to", date_to)] {
            if let Some(time) = time {
                query.append_pair(name, &time.to_string());
            }
        }
        query.finish()
    }
}

fn count(parameter: &'static str, value: &str, least: u64, wanted: &'static str) -> Result<u64, PagingError> {
    // Databases count with signed 64 bits.
    let most = i64::MAX.unsigned_abs();
    let number = value.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| PagingError::new(parameter, value, wanted))
}

fn time(parameter: &'static str, value: &str) -> Result<Timestamp, PagingError> {
    // A `+` that was not escaped arrives as a space: 2026-01-31T18:00:00 01:00.
    Timestamp::parse(value)
        .or_else(
            |error| if value.contains('T') { Timestamp::parse(&value.replace(' ', "+")) } else { Err(error) },
        )
        .map_err(|_| PagingError::new(parameter, value, "a time like 2026-01-31T18:00:00Z"))
}

/// What the headers of a page say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageHeaders {
    /// URL of the next page; none on the last.
    pub next: Option<String>,
    /// Objects that match in all.
    pub total: u64,
    /// Objects that a page holds at most.
    pub limit: u64,
}

impl PageHeaders {
    /// Those of the answer to `query`, asked at `url` (without its query), of `total` objects that match, where
    /// the server gives at most `most` a page.
    #[must_use]
    pub fn new(url: &str, query: &PageQuery, total: u64, most: u64) -> Self {
        let limit = query.size(most);
        let offset = query.offset.saturating_add(limit);
        let next = (offset < total).then(|| {
            let next = PageQuery { offset, limit: Some(limit), ..*query };
            format!("{url}?{}", next.to_query())
        });
        Self { next, total, limit: most }
    }

    /// Names and values to write.
    #[must_use]
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let Self { next, total, limit } = self;
        let mut pairs = vec![(TOTAL_COUNT, total.to_string()), (LIMIT, limit.to_string())];
        if let Some(next) = next {
            pairs.push((LINK, format!("<{next}>; rel=\"next\"")));
        }
        pairs
    }
}

/// The URL of the next page that a `Link` header names (RFC 8288); it may name others too.
#[must_use]
pub fn next_of_link(header: &str) -> Option<&str> {
    let mut rest = header;
    loop {
        // Commas and semicolons within the brackets are the URL's own.
        let (_, after) = rest.split_once('<')?;
        let (url, after) = after.split_once('>')?;
        let (parameters, following) = match after.find('<') {
            Some(at) => after.split_at(at),
            None => (after, ""),
        };
        if parameters.split([';', ',']).any(is_next) {
            return Some(url.trim()).filter(|url| !url.is_empty());
        }
        rest = following;
    }
}

/// Whether a parameter of a link says that it leads to the next page.
fn is_next(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    let relations = value.trim().trim_matches('"');
    name.trim().eq_ignore_ascii_case("rel")
        && relations.split_ascii_whitespace().any(|relation| relation.eq_ignore_ascii_case("next"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://www.server.com/ocpi/cpo/2.2.1/cdrs";

    #[test]
    fn what_is_wrong_is_named() {
        for (query, wanted) in [
            ("limit=-1", "parameter limit: '-1' is not a number, 1 or more"),
            ("limit=0", "parameter limit: '0' is not a number, 1 or more"),
            ("offset=x", "parameter offset: 'x' is not a number, 0 or more"),
            (
                "offset=99999999999999999999",
                "parameter offset: '99999999999999999999' is not a number, 0 or more",
            ),
            ("limit=10&date_to=never", "parameter date_to: 'never' is not a time like 2026-01-31T18:00:00Z"),
        ] {
            assert_eq!(PageQuery::parse(query).unwrap_err().to_string(), wanted);
        }
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        assert_eq!(PageQuery::parse("").unwrap(), PageQuery::default());
        assert_eq!(PageQuery::parse("limit=&type=RFID&offset").unwrap(), PageQuery::default());
    }

    #[test]
    fn times_may_have_any_zone_also_unescaped() {
        for time in [
            "2016-01-01T00:00:00Z",
            "2016-01-01T00:00:00",
            "2016-01-01T01:00:00+01:00",
            "2016-01-01T01%3A00%3A00%2B01%3A00",
        ] {
            let page = PageQuery::parse(&format!("date_from={time}")).unwrap();
            assert_eq!(page.date_from.unwrap().to_string(), "2016-01-01T00:00:00Z", "{time}");
        }
    }

    #[test]
    fn the_next_page_keeps_the_filters() {
        // As in the specification: the server gives at most 100.
        let query = PageQuery::parse("date_from=2016-01-01T00:00:00Z&date_to=2016-12-31T23:59:59Z").unwrap();
        let headers = PageHeaders::new(URL, &query, 250, 100);
        assert_eq!(headers.limit, 100);
        let (_, next) = headers.next.as_deref().unwrap().split_once('?').unwrap();
        let next = PageQuery::parse(next).unwrap();
        assert_eq!(next, PageQuery { offset: 100, limit: Some(100), ..query });
        let last = PageQuery { offset: 200, ..next };
        assert_eq!(PageHeaders::new(URL, &last, 250, 100).next, None);
    }

    #[test]
    fn the_total_is_not_the_page_and_the_limit_not_what_was_asked() {
        let query = PageQuery::parse("limit=10&offset=20").unwrap();
        let pairs = PageHeaders::new(URL, &query, 57, 100).pairs();
        let link = format!("<{URL}?offset=30&limit=10>; rel=\"next\"");
        assert_eq!(pairs, [(TOTAL_COUNT, "57".to_owned()), (LIMIT, "100".to_owned()), (LINK, link)]);
        assert_eq!(PageHeaders::new(URL, &query, 30, 100).next, None);
        let huge = PageQuery { offset: u64::MAX, ..query };
        assert_eq!(PageHeaders::new(URL, &huge, 30, 100).next, None);
    }

    #[test]
    fn links_are_found_however_they_are_written() {
        for link in [
            r#"<https://a.example/x?offset=50&limit=50>; rel="next""#,
            r#"<https://a.example/x?offset=50&limit=50>;rel=next"#,
            r#"<https://a.example/x?offset=50&limit=50>; title="a, b"; REL="last NEXT""#,
            r#"<https://a.example/x?offset=0>; rel="first", <https://a.example/x?offset=50&limit=50>; rel="next""#,
        ] {
            assert_eq!(next_of_link(link), Some("https://a.example/x?offset=50&limit=50"), "{link}");
        }
        for link in
            ["", "<", "<>; rel=next", "https://a.example", "<https://a.example>; rel=\"prev\"", "<a>; rel"]
        {
            assert_eq!(next_of_link(link), None, "{link}");
        }
    }

    #[test]
    fn a_comma_in_a_url_is_the_urls_own() {
        assert_eq!(
            next_of_link("<https://a.example/?ids=1,2;3>; rel=next"),
            Some("https://a.example/?ids=1,2;3")
        );
    }
}
