//! The receipt, as a page and as PDF.

use super::charge::Visit;
use super::failure::Failed;
use super::layout::Page;
use super::offer::in_other_language;
use crate::app::App;
use crate::payments::{self, PaymentError};
use crate::receipts::{Document, pdf};
use actix_web::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use maud::{Markup, html};
use serde::Deserialize;

/// The language that was chosen.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    lang: Option<String>,
}

/// Shows the receipt.
pub(super) async fn page(
    app: Data<App>,
    request: HttpRequest,
    key: Path<String>,
    asked: Query<Asked>,
) -> Result<HttpResponse, Failed> {
    let (visit, document) = document(&app, &request, key.into_inner(), &asked).await?;
    let body = shown(&visit, &document);
    let mut page = Page::plain(visit.texts, document.title.clone(), body);
    page.operator = document.issuer.first().map(String::as_str);
    page.other_language = Some(in_other_language(&request, visit.texts));
    Ok(page.answer())
}

/// Gives the receipt as PDF.
pub(super) async fn pdf(
    app: Data<App>,
    request: HttpRequest,
    key: Path<String>,
    asked: Query<Asked>,
) -> Result<HttpResponse, Failed> {
    let (visit, document) = document(&app, &request, key.into_inner(), &asked).await?;
    let printed = pdf::pdf(&document).map_err(|error| Failed::ours(visit.texts, &error))?;
    let name: String =
        document.title.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/pdf"))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.pdf\"")))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(printed))
}

async fn document(
    app: &App,
    request: &HttpRequest,
    key: String,
    asked: &Asked,
) -> Result<(Visit, Document), Failed> {
    let visit = Visit::of(app, request, key, asked.lang.as_deref()).await?;
    let found = payments::receipt(app, &visit.key).await.map_err(|error| Failed::new(visit.texts, error))?;
    let receipt = found.ok_or_else(|| Failed::new(visit.texts, PaymentError::Unknown))?;
    let document = Document::new(&receipt, visit.texts.language);
    Ok((visit, document))
}

fn shown(visit: &Visit, document: &Document) -> Markup {
    html! {
        h1 { (document.title) }
        address.place { @for line in &document.issuer { (line) br; } }
        dl.facts { @for (name, value) in &document.facts { dt { (name) } dd { (value) } } }
        @if !document.lines.is_empty() { (table(&document.line_heads, &document.lines)) }
        dl.figures { @for (name, amount) in &document.sums { dt { (name) } dd { (amount) } } }
        @if !document.taxes.is_empty() { (table(&document.tax_heads, &document.taxes)) }
        @for note in &document.notes { p.soft { (note) } }
        a.button.quiet href=(format!("/pay/charge/{}/receipt.pdf?lang={}", visit.key, visit.texts.language)) {
            (visit.texts.receipt_pdf)
        }
        p { a href=(format!("/pay/charge/{}", visit.key)) { (visit.texts.back_to_charge) } }
    }
}

/// A table whose first column is text and whose others are numbers.
fn table(heads: &[&str; 4], rows: &[[String; 4]]) -> Markup {
    html! {
        // A narrow screen scrolls it, which must be possible with the keyboard too.
        div.scroll role="region" tabindex="0" aria-label=(heads.join(", ")) {
            table {
                thead { tr {
                    @for (at, head) in heads.iter().enumerate() { th.number[at > 0] scope="col" { (head) } }
                } }
                tbody {
                    @for row in rows {
                        tr { @for (at, cell) in row.iter().enumerate() { td.number[at > 0] { (cell) } } }
                    }
                }
            }
        }
    }
}
