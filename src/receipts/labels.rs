//! Codes at charging points that drivers scan: as a picture, and as labels with what they need to know, to be printed and
//! cut.

#![expect(clippy::float_arithmetic, reason = "places on paper, in points")]

use crate::paper::{HEIGHT, PaperError, Typeface, WIDTH};
use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke};
use krilla::surface::Surface;
use krilla::text::TextDirection;
use qrcode::render::svg;
use qrcode::{Color, EcLevel, QrCode};

/// Labels of a page, across and down.
const ACROSS: usize = 2;
const DOWN: usize = 4;
/// Points of the margin around a label's content, and of its code.
const INSET: f32 = 18.0;
const CODE: f32 = 150.0;

/// A charging point's label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The address behind the code.
    pub url: String,
    /// As printed on the charging point.
    pub evse: String,
    /// Where it is.
    pub place: String,
    /// Who sells.
    pub operator: String,
}

/// Prints labels, two by four on A4, as PDF.
///
/// # Errors
/// When an address is too long for a code, or the PDF cannot be put together.
pub fn labels(all: &[Label]) -> Result<Vec<u8>, PaperError> {
    let (regular, bold) = (Typeface::regular()?, Typeface::bold()?);
    let mut pdf = krilla::Document::new();
    let size = PageSettings::from_wh(WIDTH, HEIGHT).ok_or(PaperError)?;
    for on_page in all.chunks(ACROSS * DOWN) {
        let mut page = pdf.start_page_with(size.clone());
        let mut surface = page.surface();
        let rows = on_page.chunks(ACROSS).zip(steps(HEIGHT / 4.0));
        for (row, top) in rows {
            for (label, left) in row.iter().zip(steps(WIDTH / 2.0)) {
                draw(&mut surface, label, left, top, &regular, &bold)?;
            }
        }
        surface.finish();
        page.finish();
    }
    pdf.finish().map_err(|_| PaperError)
}

/// The code of an address as a picture (SVG), at least 240 pixels wide.
///
/// # Errors
/// When the address is too long for a code.
pub fn picture(url: &str) -> Result<String, PaperError> {
    let code = QrCode::new(url).map_err(|_| PaperError)?;
    Ok(code.render::<svg::Color<'_>>().min_dimensions(240, 240).build())
}

/// 0, `by`, 2 `by` …
fn steps(by: f32) -> impl Iterator<Item = f32> {
    std::iter::successors(Some(0.0), move |at| Some(at + by))
}

fn draw(
    surface: &mut Surface<'_>,
    label: &Label,
    left: f32,
    top: f32,
    regular: &Typeface,
    bold: &Typeface,
) -> Result<(), PaperError> {
    frame(surface, left, top)?;
    code(surface, &label.url, left + INSET, top + (HEIGHT / 4.0 - CODE) / 2.0)?;
    let x = left + INSET + CODE + 10.0;
    let width = WIDTH / 2.0 - INSET * 2.0 - CODE - 4.0;
    let mut y = top + 40.0;
    let texts: [(&str, f32, &Typeface); 6] = [
        ("Laden ohne Vertrag", 11.0, bold),
        ("Charge without a contract", 9.0, regular),
        (&label.evse, 9.0, bold),
        (&label.place, 8.0, regular),
        (&label.operator, 8.0, regular),
        (host(&label.url), 7.0, regular),
    ];
    for (text, size, face) in texts {
        for line in face.wrapped(text, size, width) {
            surface.draw_text(
                Point::from_xy(x, y),
                face.font(),
                size,
                &line,
                false,
                TextDirection::LeftToRight,
            );
            y += size * 1.25;
        }
        y += 5.0;
    }
    Ok(())
}

/// What a driver should see in the browser, to tell this code from a sticker that leads elsewhere.
fn host(url: &str) -> &str {
    url.split("/pay/").next().unwrap_or(url)
}

/// Where to cut.
fn frame(surface: &mut Surface<'_>, left: f32, top: f32) -> Result<(), PaperError> {
    let mut path = PathBuilder::new();
    path.push_rect(Rect::from_xywh(left, top, WIDTH / 2.0, HEIGHT / 4.0).ok_or(PaperError)?);
    surface.set_fill(None);
    surface.set_stroke(Some(Stroke {
        paint: rgb::Color::new(190, 190, 190).into(),
        width: 0.4,
        ..Stroke::default()
    }));
    surface.draw_path(&path.finish().ok_or(PaperError)?);
    surface.set_stroke(None);
    surface.set_fill(Some(Fill::default()));
    Ok(())
}

/// The code, as squares; at the level that is still read with a quarter of it dirty.
fn code(surface: &mut Surface<'_>, url: &str, left: f32, top: f32) -> Result<(), PaperError> {
    let code = QrCode::with_error_correction_level(url, EcLevel::Q).map_err(|_| PaperError)?;
    let colors = code.to_colors();
    let modules = u16::try_from(code.width()).map_err(|_| PaperError)?;
    let side = CODE / f32::from(modules.max(1));
    let mut path = PathBuilder::new();
    for (row, y) in colors.chunks(code.width().max(1)).zip(steps(side)) {
        for (_, x) in row.iter().zip(steps(side)).filter(|(color, _)| **color == Color::Dark) {
            path.push_rect(Rect::from_xywh(left + x, top + y, side, side).ok_or(PaperError)?);
        }
    }
    surface.draw_path(&path.finish().ok_or(PaperError)?);
    Ok(())
}
