-- What an operator expects at a site: prices, CO2 and the sun's power. The revision rises with each change, so that a
-- running node sees it; a row without a document is an outlook that was removed.
CREATE TABLE load_outlooks (
    site_id    TEXT PRIMARY KEY NOT NULL REFERENCES load_sites(id) ON DELETE CASCADE,
    document   TEXT,
    revision   BIGINT NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL
);
