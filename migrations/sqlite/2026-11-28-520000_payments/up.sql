-- The EVSEs of our own locations, by what is printed on them: a driver who scans a code names one.
CREATE TABLE own_evses (
    country_code TEXT NOT NULL,
    party_id     TEXT NOT NULL,
    location_id  TEXT NOT NULL,
    evse_uid     TEXT NOT NULL,
    evse_id      TEXT,
    PRIMARY KEY (country_code, party_id, location_id, evse_uid)
);
CREATE INDEX own_evses_by_uid ON own_evses(evse_uid);
CREATE INDEX own_evses_by_id ON own_evses(evse_id);
INSERT OR IGNORE INTO own_evses
SELECT locations.country_code, locations.party_id, locations.id, lower(json_extract(e.value, '$.uid')), lower(json_extract(e.value, '$.evse_id'))
FROM locations, json_each(locations.body, '$.evses') AS e
WHERE locations.partner_id IS NULL AND json_extract(e.value, '$.uid') IS NOT NULL;

-- Parties of ours that sell ad hoc: what receipts say of them, and where the money goes (a document), and the number of
-- the last receipt.
CREATE TABLE payment_merchants (
    country_code TEXT NOT NULL,
    party_id     TEXT NOT NULL,
    body         TEXT NOT NULL,
    last_receipt BIGINT NOT NULL,
    PRIMARY KEY (country_code, party_id)
);

-- Ad hoc payments. The key by which a driver comes back is kept as a keyed hash only. The id rises with
-- time. Ids of EVSEs and sessions are folded; next_at is when the payment is to be looked at without being told.
CREATE TABLE payments (
    id           TEXT PRIMARY KEY NOT NULL,
    key_hash     TEXT NOT NULL UNIQUE,
    country_code TEXT NOT NULL,
    party_id     TEXT NOT NULL,
    location_id  TEXT NOT NULL,
    evse_uid     TEXT NOT NULL,
    connector_id TEXT NOT NULL,
    station_id   TEXT NOT NULL,
    connector    INTEGER NOT NULL,
    provider     TEXT NOT NULL,
    account      TEXT,
    intent_id    TEXT,
    state        TEXT NOT NULL,
    reason       TEXT,
    currency     TEXT NOT NULL,
    hold         TEXT NOT NULL,
    held         TEXT NOT NULL,
    captured     TEXT NOT NULL,
    released     TEXT NOT NULL,
    refunded     TEXT NOT NULL,
    disputed     TEXT NOT NULL,
    written_off  TEXT NOT NULL,
    id_tag       TEXT NOT NULL UNIQUE,
    command_id   TEXT,
    session_id   TEXT,
    cdr_seq      BIGINT REFERENCES cdrs(seq),
    created      TEXT NOT NULL,
    last_updated TEXT NOT NULL,
    next_at      TEXT,
    details      TEXT NOT NULL
);
CREATE UNIQUE INDEX payments_by_intent ON payments(provider, intent_id);
CREATE INDEX payments_by_session ON payments(session_id);
CREATE INDEX payments_by_next ON payments(next_at);
CREATE INDEX payments_by_created ON payments(created);
CREATE INDEX payments_by_state ON payments(state, id);
CREATE INDEX payments_by_cdr ON payments(cdr_seq);

-- Which payment an EVSE is kept for: one at a time.
CREATE TABLE payment_claims (
    country_code TEXT NOT NULL,
    party_id     TEXT NOT NULL,
    location_id  TEXT NOT NULL,
    evse_uid     TEXT NOT NULL,
    payment_id   TEXT NOT NULL,
    PRIMARY KEY (country_code, party_id, location_id, evse_uid)
);

-- What is asked of payment providers: written before it is asked. The same idempotency key is the same operation,
-- however often it is sent.
CREATE TABLE payment_operations (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    payment_id      TEXT NOT NULL REFERENCES payments(id),
    kind            TEXT NOT NULL,
    attempt         INTEGER NOT NULL,
    idempotency_key TEXT NOT NULL UNIQUE,
    amount          TEXT,
    state           TEXT NOT NULL,
    provider_ref    TEXT,
    note            TEXT,
    asked_by        TEXT,
    created         TEXT NOT NULL,
    done_at         TEXT
);
CREATE INDEX payment_operations_by_payment ON payment_operations(payment_id, seq);

-- What providers told us by themselves, each message once; handled when what it is about was read again. A payment that
-- it is about may not be known.
CREATE TABLE payment_events (
    provider    TEXT NOT NULL,
    id          TEXT NOT NULL,
    kind        TEXT NOT NULL,
    account     TEXT,
    object_id   TEXT,
    payment_id  TEXT,
    made_at     TEXT NOT NULL,
    received_at TEXT NOT NULL,
    handled     BOOLEAN NOT NULL,
    PRIMARY KEY (provider, id)
);
CREATE INDEX payment_events_by_handled ON payment_events(handled, received_at);
CREATE INDEX payment_events_by_payment ON payment_events(payment_id, received_at);

-- Where the money is: a line for whatever moved it, written with the state that it led to.
CREATE TABLE payment_ledger (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    payment_id   TEXT NOT NULL REFERENCES payments(id),
    country_code TEXT NOT NULL,
    party_id     TEXT NOT NULL,
    kind         TEXT NOT NULL,
    amount       TEXT NOT NULL,
    currency     TEXT NOT NULL,
    at           TEXT NOT NULL,
    note         TEXT
);
CREATE INDEX payment_ledger_by_payment ON payment_ledger(payment_id, seq);
CREATE INDEX payment_ledger_by_time ON payment_ledger(at);

-- Card terminals and what they say of the money that they took (OCPI 2.3.0 Payments).
CREATE TABLE payment_terminals (
    id           TEXT PRIMARY KEY NOT NULL,
    country_code TEXT NOT NULL,
    party_id     TEXT NOT NULL,
    body         TEXT NOT NULL,
    last_updated TEXT NOT NULL
);
CREATE TABLE payment_confirmations (
    id                      TEXT PRIMARY KEY NOT NULL,
    authorization_reference TEXT NOT NULL,
    payment_id              TEXT NOT NULL REFERENCES payments(id),
    body                    TEXT NOT NULL,
    last_updated            TEXT NOT NULL
);
CREATE INDEX payment_confirmations_by_payment ON payment_confirmations(payment_id);
