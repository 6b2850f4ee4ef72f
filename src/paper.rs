//! What is printed: A4 pages with the fonts inside, and how wide a text is on them.

#![expect(clippy::float_arithmetic, reason = "places on paper, in points")]

use krilla::text::Font;
use ttf_parser::Face;

/// Points of an A4 page.
pub const WIDTH: f32 = 595.28;
/// Points of an A4 page.
pub const HEIGHT: f32 = 841.89;

/// The fonts of this program cannot be read, or a library refuses to put a document together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the PDF cannot be put together")]
pub struct PaperError;

/// A font, to draw with and to measure with.
pub struct Typeface {
    font: Font,
    face: Face<'static>,
}

impl std::fmt::Debug for Typeface {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Typeface").finish_non_exhaustive()
    }
}

impl Typeface {
    /// For running text.
    ///
    /// # Errors
    /// When the font cannot be read.
    pub fn regular() -> Result<Self, PaperError> {
        Self::read(dejavu::sans::regular())
    }

    /// For what stands out.
    ///
    /// # Errors
    /// When the font cannot be read.
    pub fn bold() -> Result<Self, PaperError> {
        Self::read(dejavu::sans::bold())
    }

    fn read(data: &'static [u8]) -> Result<Self, PaperError> {
        let font = Font::new(data.to_vec().into(), 0).ok_or(PaperError)?;
        Ok(Self { font, face: Face::parse(data, 0).map_err(|_| PaperError)? })
    }

    /// To draw with.
    #[must_use]
    pub fn font(&self) -> Font {
        self.font.clone()
    }

    /// The width of a text, points.
    #[must_use]
    pub fn width(&self, text: &str, size: f32) -> f32 {
        let units = text.chars().map(|letter| {
            let glyph = self.face.glyph_index(letter).unwrap_or_default();
            f32::from(self.face.glyph_hor_advance(glyph).unwrap_or_default())
        });
        units.sum::<f32>() * size / f32::from(self.face.units_per_em().max(1))
    }

    /// A text in lines that are not wider than that; a word that alone is wider is broken.
    #[must_use]
    pub fn wrapped(&self, text: &str, size: f32, width: f32) -> Vec<String> {
        let (mut lines, mut line) = (Vec::new(), String::new());
        for word in text.split_whitespace() {
            let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if self.width(&longer, size) <= width {
                line = longer;
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            for letter in word.chars() {
                line.push(letter);
                if self.width(&line, size) > width && line.chars().count() > 1 {
                    line.pop();
                    lines.push(std::mem::replace(&mut line, letter.to_string()));
                }
            }
        }
        lines.push(line);
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_no_wider_than_they_may_be_and_lose_nothing() {
        let face = Typeface::regular().unwrap();
        let text =
            "Straßenbahndepot Köln-Merheim aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 12,34 €";
        let lines = face.wrapped(text, 10.0, 100.0);
        assert!(lines.len() > 3, "{lines:?}");
        assert!(lines.iter().all(|line| face.width(line, 10.0) <= 100.0), "{lines:?}");
        assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
        assert_eq!(face.wrapped("", 10.0, 100.0), [""]);
        assert!(face.width("W", 10.0) > face.width("i", 10.0));
    }
}
