//! A receipt on paper: A4, as PDF, with its fonts inside.

#![expect(
    clippy::float_arithmetic,
    reason = "places on paper, in points; every number that is printed is text already"
)]

use super::Document;
use crate::paper::{HEIGHT, PaperError, Typeface, WIDTH};
use krilla::geom::{PathBuilder, Point};
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla::paint::Stroke;
use krilla::surface::Surface;
use krilla::text::TextDirection;

/// Points of its margins.
const MARGIN: f32 = 56.0;
const SIZE: f32 = 9.5;
const LEADING: f32 = 14.0;

/// The whole document as lines with their places, cut into pages.
struct Sheet {
    regular: Typeface,
    bold: Typeface,
    pages: Vec<Vec<Mark>>,
    y: f32,
}

/// Something on a page.
enum Mark {
    Text { x: f32, y: f32, size: f32, bold: bool, text: String },
    Rule { y: f32 },
}

impl Sheet {
    fn face(&self, bold: bool) -> &Typeface {
        if bold { &self.bold } else { &self.regular }
    }

    /// Goes down by that much, to a new page where this one is full.
    fn down(&mut self, by: f32) {
        self.y += by;
        if self.y > HEIGHT - MARGIN {
            self.pages.push(Vec::new());
            self.y = MARGIN + LEADING;
        }
    }

    fn mark(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    fn text(&mut self, x: f32, size: f32, bold: bool, text: &str) {
        let y = self.y;
        self.mark(Mark::Text { x, y, size, bold, text: text.to_owned() });
    }

    /// A text that ends at `x`.
    fn ending(&mut self, x: f32, bold: bool, text: &str) {
        let width = self.face(bold).width(text, SIZE);
        self.text(x - width, SIZE, bold, text);
    }

    fn rule(&mut self) {
        let y = self.y - LEADING + 3.5;
        self.mark(Mark::Rule { y });
    }

    /// A row of a table whose first column is text that may take several lines; the others end at their places.
    fn row(&mut self, bold: bool, cells: &[impl AsRef<str>], places: &[f32], first: f32) {
        let Some((what, others)) = cells.split_first() else { return };
        for (cell, place) in others.iter().zip(places) {
            self.ending(*place, bold, cell.as_ref());
        }
        let lines = self.face(bold).wrapped(what.as_ref(), SIZE, first);
        for (at, line) in lines.iter().enumerate() {
            if at > 0 {
                self.down(LEADING);
            }
            self.text(MARGIN, SIZE, bold, line);
        }
        self.down(LEADING);
    }
}

/// Prints a receipt.
///
/// # Errors
/// When the PDF cannot be put together, which is not the receipt's fault.
pub fn pdf(document: &Document) -> Result<Vec<u8>, PaperError> {
    let mut sheet = Sheet {
        regular: Typeface::regular()?,
        bold: Typeface::bold()?,
        pages: vec![Vec::new()],
        y: MARGIN + LEADING,
    };
    lay_out(&mut sheet, document);
    let mut pdf = krilla::Document::new();
    pdf.set_metadata(
        Metadata::new()
            .title(document.title.clone())
            .language(document.language.as_str().to_owned())
            .authors(document.issuer.first().cloned().into_iter().collect()),
    );
    let size = PageSettings::from_wh(WIDTH, HEIGHT).ok_or(PaperError)?;
    for marks in &sheet.pages {
        let mut page = pdf.start_page_with(size.clone());
        let mut surface = page.surface();
        for mark in marks {
            draw(&mut surface, &sheet, mark);
        }
        surface.finish();
        page.finish();
    }
    pdf.finish().map_err(|_| PaperError)
}

fn lay_out(sheet: &mut Sheet, document: &Document) {
    let right = WIDTH - MARGIN;
    let width = right - MARGIN;
    for (at, line) in document.issuer.iter().enumerate() {
        for part in sheet.face(at == 0).wrapped(line, SIZE, width) {
            sheet.text(MARGIN, SIZE, at == 0, &part);
            sheet.down(LEADING);
        }
    }
    sheet.down(LEADING * 1.5);
    sheet.text(MARGIN, 16.0, true, &document.title);
    sheet.down(LEADING * 2.0);
    for (name, value) in &document.facts {
        sheet.text(MARGIN, SIZE, false, name);
        for part in sheet.regular.wrapped(value, SIZE, width - 140.0) {
            sheet.text(MARGIN + 140.0, SIZE, false, &part);
            sheet.down(LEADING);
        }
    }
    if !document.lines.is_empty() {
        sheet.down(LEADING);
        let places = [right - 190.0, right - 75.0, right];
        sheet.row(true, &document.line_heads, &places, 210.0);
        sheet.rule();
        for line in &document.lines {
            sheet.row(false, line, &places, 210.0);
        }
        sheet.rule();
    }
    for (at, (name, amount)) in document.sums.iter().enumerate() {
        sheet.row(at == 0 && !document.lines.is_empty(), &[*name, amount.as_str()], &[right], 300.0);
    }
    if !document.taxes.is_empty() {
        sheet.down(LEADING);
        let places = [right - 190.0, right - 95.0, right];
        sheet.row(true, &document.tax_heads, &places, 150.0);
        sheet.rule();
        for tax in &document.taxes {
            sheet.row(false, tax, &places, 150.0);
        }
    }
    for note in &document.notes {
        sheet.down(LEADING);
        for line in sheet.regular.wrapped(note, SIZE, width) {
            sheet.text(MARGIN, SIZE, false, &line);
            sheet.down(LEADING);
        }
    }
}

fn draw(surface: &mut Surface<'_>, sheet: &Sheet, mark: &Mark) {
    match mark {
        Mark::Text { x, y, size, bold, text } => {
            let font = sheet.face(*bold).font();
            surface.draw_text(Point::from_xy(*x, *y), font, *size, text, false, TextDirection::LeftToRight);
        }
        Mark::Rule { y } => {
            let mut path = PathBuilder::new();
            path.move_to(MARGIN, *y);
            path.line_to(WIDTH - MARGIN, *y);
            if let Some(path) = path.finish() {
                surface.set_stroke(Some(Stroke { width: 0.5, ..Stroke::default() }));
                surface.draw_path(&path);
                surface.set_stroke(None);
            }
        }
    }
}
