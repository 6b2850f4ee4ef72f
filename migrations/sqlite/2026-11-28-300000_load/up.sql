-- Sites under load management: what the operator describes, and how the node saw it last, for who asks from outside
-- it. The revision rises with each change of the description, so that a running node sees it.
CREATE TABLE load_sites (
    id         TEXT PRIMARY KEY NOT NULL,
    document   TEXT NOT NULL,
    revision   BIGINT NOT NULL,
    changed_at TEXT NOT NULL,
    grid_limit TEXT,
    view       TEXT,
    view_at    TEXT
);

-- The ledger: what each connector may lawfully draw. A page follows its station when that moves to another site.
CREATE TABLE load_ledger (
    station_id TEXT NOT NULL,
    connector  INTEGER NOT NULL,
    page       TEXT NOT NULL,
    PRIMARY KEY (station_id, connector)
);

-- Limits of the grid operator and how the site followed, and what the operator of the site should know.
CREATE TABLE load_events (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    site_id TEXT NOT NULL,
    at      TEXT NOT NULL,
    kind    TEXT NOT NULL,
    about   TEXT NOT NULL,
    detail  TEXT NOT NULL
);
CREATE INDEX load_events_by_site ON load_events(site_id, at);

-- One line a minute: what each row carried and might have carried.
CREATE TABLE load_history (
    site_id TEXT NOT NULL,
    at      TEXT NOT NULL,
    rows    TEXT NOT NULL,
    PRIMARY KEY (site_id, at)
);
