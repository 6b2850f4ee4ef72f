-- By whose token a session or a CDR is: its folded uid, beside the eMSP that stands there already.
ALTER TABLE sessions ADD COLUMN token_uid TEXT NOT NULL DEFAULT '';
ALTER TABLE cdrs ADD COLUMN token_uid TEXT NOT NULL DEFAULT '';
UPDATE sessions SET token_uid = COALESCE(lower(json_extract(body, '$.cdr_token.uid')), '');
UPDATE cdrs SET token_uid = COALESCE(lower(json_extract(body, '$.cdr_token.uid')), '');
DROP INDEX sessions_by_token;
DROP INDEX cdrs_by_token;
CREATE INDEX sessions_by_token ON sessions(token_country, token_party, token_uid);
CREATE INDEX cdrs_by_token ON cdrs(token_country, token_party, token_uid);
CREATE INDEX cdrs_by_session ON cdrs(country_code, party_id, session_id);

-- Apps of drivers, each of one eMSP, whose tokens it hands out. The id is OAuth's client id. A secret is kept as its
-- keyed hash. With an issuer, the app may show id tokens (OpenID Connect) that are for the audience.
CREATE TABLE driver_apps (
    id            TEXT NOT NULL PRIMARY KEY,
    name          TEXT NOT NULL,
    country_code  TEXT NOT NULL,
    party_id      TEXT NOT NULL,
    secret_hash   TEXT NOT NULL,
    oidc_issuer   TEXT,
    oidc_audience TEXT,
    created       TEXT NOT NULL
);

-- Drivers, as their apps know them: by the app's own user id (no issuer), or by issuer and subject.
CREATE TABLE drivers (
    id      TEXT NOT NULL PRIMARY KEY,
    app_id  TEXT NOT NULL REFERENCES driver_apps(id) ON DELETE CASCADE,
    issuer  TEXT NOT NULL,
    subject TEXT NOT NULL,
    created TEXT NOT NULL,
    UNIQUE (app_id, issuer, subject)
);

-- Which tokens are a driver's; the uid is folded.
CREATE TABLE driver_tokens (
    country_code TEXT NOT NULL,
    party_id     TEXT NOT NULL,
    uid          TEXT NOT NULL,
    token_type   TEXT NOT NULL,
    driver_id    TEXT NOT NULL REFERENCES drivers(id) ON DELETE CASCADE,
    added        TEXT NOT NULL,
    PRIMARY KEY (country_code, party_id, uid, token_type)
);
CREATE INDEX driver_tokens_by_driver ON driver_tokens(driver_id);

-- What an app was given for a driver. It goes on with each refresh, until it expires or is revoked.
CREATE TABLE driver_grants (
    id         TEXT NOT NULL PRIMARY KEY,
    driver_id  TEXT NOT NULL REFERENCES drivers(id) ON DELETE CASCADE,
    created    TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    revoked    BOOLEAN NOT NULL
);
CREATE INDEX driver_grants_by_driver ON driver_grants(driver_id);

-- Refresh tokens of a grant, as keyed hashes. One that was used stays, so that it is recognised when it comes again.
CREATE TABLE driver_refresh_tokens (
    hash     TEXT NOT NULL PRIMARY KEY,
    grant_id TEXT NOT NULL REFERENCES driver_grants(id) ON DELETE CASCADE,
    used     BOOLEAN NOT NULL
);
CREATE INDEX driver_refresh_tokens_by_grant ON driver_refresh_tokens(grant_id);

-- What drivers asked for: starts, stops, reservations. The key is the app's, so that the same request again is the
-- same order; the digest tells whether it is the same request. The id is also that of the command
-- that was made of it.
CREATE TABLE driver_orders (
    id              TEXT NOT NULL PRIMARY KEY,
    driver_id       TEXT NOT NULL REFERENCES drivers(id) ON DELETE CASCADE,
    idempotency_key TEXT NOT NULL,
    digest          TEXT NOT NULL,
    body            TEXT NOT NULL,
    created         TEXT NOT NULL,
    UNIQUE (driver_id, idempotency_key)
);
