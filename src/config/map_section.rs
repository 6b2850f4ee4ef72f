//! The settings of the public map. `config/default.toml` says what each is for and when to change it.

use super::reader::Section;
use url::Url;

/// Section `[map]`.
#[derive(Debug, Clone)]
pub struct MapConfig {
    /// Where the pictures of the map are, with `{z}`, `{x}`, `{y}` and perhaps `{s}`; empty for a map without any.
    pub tile_url: String,
    /// Whom to thank for them.
    pub tile_attribution: String,
}

impl MapConfig {
    pub(super) fn read(mut section: Section<'_>) -> Self {
        let config = Self {
            tile_url: section.text("tile_url", tiles),
            tile_attribution: section.text("tile_attribution", |text| {
                if text.chars().any(|c| c.is_control()) {
                    return Err("holds a control character".to_owned());
                }
                Ok(text.to_owned())
            }),
        };
        if !config.tile_url.is_empty() && config.tile_attribution.is_empty() {
            section.wrong("tile_attribution", "is missing", "tile servers ask for their names to be shown");
        }
        config
    }
}

fn tiles(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let wanted = || "write it like https://tiles.example.org/{z}/{x}/{y}.png".to_owned();
    let url = Url::parse(&text.replace("{s}", "a")).map_err(|_| wanted())?;
    let good = matches!(url.scheme(), "https" | "http")
        && ["{z}", "{x}", "{y}"].iter().all(|part| text.contains(part))
        && !text.chars().any(|c| c.is_control() || c.is_whitespace() || c == ';' || c == '"');
    if good { Ok(text.to_owned()) } else { Err(wanted()) }
}
