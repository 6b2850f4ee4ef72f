-- Times are UTC. Key columns (id, uid, …) hold the case-folded text; the body keeps the case it came with.

CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE parties (
    country_code TEXT NOT NULL,
    party_id     TEXT NOT NULL,
    name         TEXT NOT NULL,
    website      TEXT,
    roles        TEXT NOT NULL,
    created      TEXT NOT NULL,
    PRIMARY KEY (country_code, party_id)
);

CREATE TABLE api_keys (
    id      INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name    TEXT NOT NULL,
    role    TEXT NOT NULL,
    hash    TEXT NOT NULL UNIQUE,
    created TEXT NOT NULL
);

CREATE TABLE partners (
    id                     INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    name                   TEXT NOT NULL UNIQUE,
    status                 TEXT NOT NULL,
    versions_url           TEXT,
    version                TEXT,
    endpoints              TEXT NOT NULL,
    roles                  TEXT NOT NULL,
    allowed_origins        TEXT NOT NULL,
    delivery               TEXT NOT NULL,
    token_encoding         TEXT NOT NULL,
    token_in_hash          TEXT,
    token_in_previous_hash TEXT,
    token_out_sealed       TEXT,
    created                TEXT NOT NULL,
    last_updated           TEXT NOT NULL,
    retry_at               TEXT,
    failures               INTEGER NOT NULL,
    last_error             TEXT,
    last_contact           TEXT
);

CREATE TABLE partner_roles (
    country_code TEXT NOT NULL,
    party_id     TEXT NOT NULL,
    role         TEXT NOT NULL,
    partner_id   BIGINT NOT NULL REFERENCES partners(id),
    PRIMARY KEY (country_code, party_id, role)
);

CREATE TABLE partner_changes (
    partner_id BIGINT NOT NULL REFERENCES partners(id),
    module     TEXT NOT NULL,
    object_key TEXT NOT NULL,
    generation BIGINT NOT NULL,
    changed_at TEXT NOT NULL,
    attempts   INTEGER NOT NULL,
    set_aside  TEXT,
    PRIMARY KEY (partner_id, module, object_key)
);

CREATE TABLE locations (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    country_code TEXT NOT NULL,
    party_id     TEXT NOT NULL,
    id           TEXT NOT NULL,
    partner_id   BIGINT REFERENCES partners(id),
    publish      BOOLEAN NOT NULL,
    body         TEXT NOT NULL,
    last_updated TEXT NOT NULL,
    UNIQUE (country_code, party_id, id)
);

CREATE TABLE tariffs (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    country_code TEXT NOT NULL,
    party_id     TEXT NOT NULL,
    id           TEXT NOT NULL,
    partner_id   BIGINT REFERENCES partners(id),
    body         TEXT NOT NULL,
    last_updated TEXT NOT NULL,
    UNIQUE (country_code, party_id, id)
);

CREATE TABLE tokens (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    country_code TEXT NOT NULL,
    party_id     TEXT NOT NULL,
    uid          TEXT NOT NULL,
    token_type   TEXT NOT NULL,
    partner_id   BIGINT REFERENCES partners(id),
    id_tag       TEXT NOT NULL,
    valid        BOOLEAN NOT NULL,
    body         TEXT NOT NULL,
    last_updated TEXT NOT NULL,
    UNIQUE (country_code, party_id, uid, token_type)
);

CREATE TABLE stations (
    id               TEXT NOT NULL PRIMARY KEY,
    country_code     TEXT NOT NULL,
    party_id         TEXT NOT NULL,
    location_id      TEXT NOT NULL,
    auth             TEXT NOT NULL,
    password_hash    TEXT,
    vendor           TEXT,
    model            TEXT,
    serial_number    TEXT,
    firmware_version TEXT,
    booted_at        TEXT,
    last_seen        TEXT,
    online           BOOLEAN NOT NULL,
    created          TEXT NOT NULL,
    last_updated     TEXT NOT NULL
);

CREATE TABLE station_connectors (
    station_id   TEXT NOT NULL REFERENCES stations(id),
    number       INTEGER NOT NULL,
    country_code TEXT NOT NULL,
    party_id     TEXT NOT NULL,
    location_id  TEXT NOT NULL,
    evse_uid     TEXT NOT NULL,
    connector_id TEXT NOT NULL,
    status       TEXT,
    error_code   TEXT,
    status_at    TEXT,
    PRIMARY KEY (station_id, number),
    UNIQUE (country_code, party_id, location_id, evse_uid, connector_id)
);

CREATE TABLE sessions (
    seq           INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    country_code  TEXT NOT NULL,
    party_id      TEXT NOT NULL,
    id            TEXT NOT NULL,
    partner_id    BIGINT REFERENCES partners(id),
    token_country TEXT NOT NULL,
    token_party   TEXT NOT NULL,
    status        TEXT NOT NULL,
    kwh           TEXT NOT NULL,
    start_at      TEXT NOT NULL,
    body          TEXT NOT NULL,
    last_updated  TEXT NOT NULL,
    UNIQUE (country_code, party_id, id)
);

CREATE TABLE cdrs (
    seq           INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    country_code  TEXT NOT NULL,
    party_id      TEXT NOT NULL,
    id            TEXT NOT NULL,
    partner_id    BIGINT REFERENCES partners(id),
    token_country TEXT NOT NULL,
    token_party   TEXT NOT NULL,
    session_id    TEXT,
    credit        BOOLEAN NOT NULL,
    start_at      TEXT NOT NULL,
    end_at        TEXT NOT NULL,
    total_energy  TEXT NOT NULL,
    total_excl    TEXT NOT NULL,
    total_incl    TEXT,
    currency      TEXT NOT NULL,
    body          TEXT NOT NULL,
    policy        TEXT,
    last_updated  TEXT NOT NULL,
    UNIQUE (country_code, party_id, id)
);

CREATE TABLE charges (
    session_id     TEXT NOT NULL PRIMARY KEY,
    country_code   TEXT NOT NULL,
    party_id       TEXT NOT NULL,
    station_id     TEXT NOT NULL,
    connector      INTEGER NOT NULL,
    transaction_id INTEGER NOT NULL,
    id_tag         TEXT NOT NULL,
    start_key      TEXT NOT NULL UNIQUE,
    started_at     TEXT NOT NULL,
    meter_start    TEXT NOT NULL,
    stopped_at     TEXT,
    meter_stop     TEXT,
    stop_reason    TEXT,
    stop_key       TEXT,
    state          TEXT NOT NULL,
    settle_at      TEXT,
    zone           TEXT NOT NULL,
    tariff         TEXT,
    running        TEXT NOT NULL,
    reference      TEXT NOT NULL,
    last_at        TEXT NOT NULL,
    UNIQUE (transaction_id)
);

CREATE TABLE meter_samples (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    session_id TEXT NOT NULL,
    at         TEXT NOT NULL,
    context    TEXT NOT NULL,
    register   TEXT,
    power      TEXT,
    activity   TEXT,
    digest     TEXT NOT NULL,
    raw        TEXT NOT NULL,
    UNIQUE (session_id, at, digest)
);

CREATE TABLE late_messages (
    seq         INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    station_id  TEXT NOT NULL,
    received_at TEXT NOT NULL,
    action      TEXT NOT NULL,
    reason      TEXT NOT NULL,
    session_id  TEXT,
    digest      TEXT NOT NULL,
    payload     TEXT NOT NULL,
    UNIQUE (station_id, digest)
);

CREATE TABLE commands (
    id                      TEXT NOT NULL PRIMARY KEY,
    kind                    TEXT NOT NULL,
    direction               TEXT NOT NULL,
    partner_id              BIGINT REFERENCES partners(id),
    from_party              TEXT,
    to_party                TEXT,
    station_id              TEXT,
    connector               INTEGER,
    id_tag                  TEXT,
    session_id              TEXT,
    authorization_reference TEXT,
    token                   TEXT,
    response_url            TEXT,
    correlation_id          TEXT,
    state                   TEXT NOT NULL,
    result                  TEXT,
    message                 TEXT,
    created                 TEXT NOT NULL,
    expires_at              TEXT NOT NULL,
    delivered               BOOLEAN NOT NULL
);

CREATE TABLE station_frames (
    seq        INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    station_id TEXT NOT NULL,
    at         TEXT NOT NULL,
    kind       TEXT NOT NULL,
    frame      TEXT NOT NULL
);

CREATE TABLE frame_watches (
    station_id TEXT NOT NULL PRIMARY KEY,
    until      TEXT NOT NULL
);

CREATE INDEX locations_changed ON locations(last_updated);
CREATE INDEX tariffs_changed ON tariffs(last_updated);
CREATE INDEX tokens_changed ON tokens(last_updated);
CREATE INDEX tokens_by_id_tag ON tokens(id_tag);
CREATE INDEX sessions_changed ON sessions(last_updated);
CREATE INDEX sessions_by_token ON sessions(token_country, token_party);
CREATE INDEX cdrs_changed ON cdrs(last_updated);
CREATE INDEX cdrs_by_end ON cdrs(end_at);
CREATE INDEX cdrs_by_token ON cdrs(token_country, token_party);
CREATE INDEX charges_by_station ON charges(station_id, connector, state);
CREATE INDEX charges_by_settle_at ON charges(settle_at);
CREATE INDEX station_connectors_by_evse ON station_connectors(country_code, party_id, location_id);
CREATE INDEX commands_by_state ON commands(state, expires_at);
CREATE INDEX partner_changes_by_time ON partner_changes(partner_id, changed_at);
CREATE INDEX station_frames_by_station ON station_frames(station_id, seq);
CREATE INDEX late_messages_by_session ON late_messages(session_id);
