-- What came out when a CDR was priced again from its own tariffs and periods. A row is there only where something
-- differs, where it cannot be priced, or where somebody decided about it. CDRs never change, so a row never ages.
CREATE TABLE cdr_checks (
    cdr_seq      BIGINT PRIMARY KEY NOT NULL REFERENCES cdrs(seq),
    state        TEXT NOT NULL,
    differences  TEXT NOT NULL,
    warnings     TEXT NOT NULL,
    checked_at   TIMESTAMPTZ NOT NULL,
    dispute      TEXT NOT NULL,
    dispute_note TEXT,
    dispute_by   TEXT,
    dispute_at   TIMESTAMPTZ
);
CREATE INDEX cdr_checks_by_state ON cdr_checks(state, cdr_seq);
CREATE INDEX cdr_checks_by_dispute ON cdr_checks(dispute, cdr_seq);

-- Which CDR a credit CDR takes back (OCPI 2.2.1 mod_cdrs, "Credit CDRs"), each at most once. Of a partner's credit CDR
-- the original may come later, or never; cdr_seq is missing until then, and reference_id is what was named.
CREATE TABLE cdr_credits (
    credit_seq      BIGINT PRIMARY KEY NOT NULL REFERENCES cdrs(seq),
    country_code    TEXT NOT NULL,
    party_id        TEXT NOT NULL,
    reference_id    TEXT,
    cdr_seq         BIGINT UNIQUE REFERENCES cdrs(seq),
    replacement_seq BIGINT UNIQUE REFERENCES cdrs(seq),
    reason          TEXT NOT NULL,
    made_by         TEXT NOT NULL,
    made_at         TIMESTAMPTZ NOT NULL
);
CREATE INDEX cdr_credits_by_reference ON cdr_credits(country_code, party_id, reference_id);
