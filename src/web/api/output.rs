//! Lists as the operator API answers them: the objects of a page, how many there are in all (`X-Total-Count`),
//! and where the other pages are (`Link`, RFC 8288).

use super::input::Limit;
use crate::app::App;
use crate::db::page::{Page, Slice};
use actix_web::http::header::LINK;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

/// The answer with a page of a list.
pub fn list<T, V: Serialize>(
    app: &App,
    request: &HttpRequest,
    page: Page,
    slice: Slice<T>,
    view: impl FnMut(T) -> V,
) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.insert_header(("X-Total-Count", slice.total));
    if let Some(links) = links(&app.public_url, request.path(), request.query_string(), page, slice.total) {
        response.insert_header((LINK, links));
    }
    response.json(slice.items.into_iter().map(view).collect::<Vec<V>>())
}

/// A part of a list that is in memory whole.
pub fn part<T>(items: Vec<T>, page: Page) -> Slice<T> {
    let total = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let offset = usize::try_from(page.offset).unwrap_or(usize::MAX);
    let limit = usize::try_from(page.limit.min(Limit::MOST)).unwrap_or_default();
    Slice { items: items.into_iter().skip(offset).take(limit).collect(), total }
}

/// The pages before and behind this one, and the last.
fn links(base: &str, path: &str, query: &str, page: Page, total: i64) -> Option<String> {
    let link = |offset: i64, relation: &str| {
        let mut pairs = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            if !matches!(name.as_ref(), "offset" | "limit") {
                pairs.append_pair(&name, &value);
            }
        }
        pairs.append_pair("offset", &offset.to_string()).append_pair("limit", &page.limit.to_string());
        format!("<{base}{path}?{}>; rel=\"{relation}\"", pairs.finish())
    };
    let next = page.next().offset;
    let mut links = Vec::new();
    if page.offset > 0 {
        links.push(link(0, "first"));
        links.push(link((page.offset - page.limit).max(0), "prev"));
    }
    if next < total {
        links.push(link(next, "next"));
        links.push(link((total - 1).div_euclid(page.limit.max(1)) * page.limit, "last"));
    }
    (!links.is_empty()).then(|| links.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_keep_the_filter() {
        let at = |offset, total| {
            links("http://a", "/api/v1/x", "status=A%20B&limit=2", Page { offset, ..Page::first(2) }, total)
        };
        assert_eq!(at(0, 2), None);
        assert_eq!(
            at(0, 5).unwrap(),
            "<http://a/api/v1/x?status=A+B&offset=2&limit=2>; rel=\"next\", \
             <http://a/api/v1/x?status=A+B&offset=4&limit=2>; rel=\"last\""
        );
        assert!(at(4, 5).unwrap().ends_with("offset=2&limit=2>; rel=\"prev\""));
        let slice = part(vec![1, 2, 3], Page { offset: 1, ..Page::first(1) });
        assert_eq!((slice.items, slice.total), (vec![2], 3));
    }
}
