-- Key columns hold the case-folded text; the bodies keep the case it came with.

-- The tariffs that the connectors of a location of ours name themselves: folded, a line each.
ALTER TABLE locations ADD COLUMN tariff_ids TEXT NOT NULL DEFAULT '';
UPDATE locations SET tariff_ids = COALESCE((
    SELECT group_concat(named.id, char(10)) FROM (
        SELECT DISTINCT lower(t.value) AS id
        FROM json_each(locations.body, '$.evses') AS e,
             json_each(e.value, '$.connectors') AS c,
             json_each(c.value, '$.tariff_ids') AS t
        WHERE t.value IS NOT NULL
    ) AS named
), '') WHERE partner_id IS NULL;
CREATE INDEX locations_by_tariff_ids ON locations(country_code, party_id, tariff_ids)
    WHERE partner_id IS NULL AND tariff_ids <> '';

-- When a tariff becomes valid and when it ends, as its body says.
ALTER TABLE tariffs ADD COLUMN start_at TEXT;
ALTER TABLE tariffs ADD COLUMN end_at TEXT;
UPDATE tariffs SET
    start_at = strftime('%Y-%m-%dT%H:%M:%fZ', json_extract(body, '$.start_date_time')),
    end_at   = strftime('%Y-%m-%dT%H:%M:%fZ', json_extract(body, '$.end_date_time'));

CREATE TABLE tariff_groups (
    id      TEXT NOT NULL PRIMARY KEY,
    name    TEXT NOT NULL,
    members TEXT NOT NULL
);

-- Beside the body stands what queries need; no location means the whole party, or a group.
CREATE TABLE tariff_assignments (
    id           INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    country_code TEXT NOT NULL,
    party_id     TEXT NOT NULL,
    tariff_id    TEXT NOT NULL,
    location_id  TEXT,
    valid_from   TEXT,
    valid_to     TEXT,
    body         TEXT NOT NULL
);
CREATE INDEX tariff_assignments_by_place ON tariff_assignments(country_code, party_id, location_id);
CREATE INDEX tariff_assignments_by_tariff ON tariff_assignments(country_code, party_id, tariff_id);
CREATE INDEX tariff_assignments_by_from ON tariff_assignments(valid_from);
CREATE INDEX tariff_assignments_by_to ON tariff_assignments(valid_to);

-- What a change of assignments means for locations, until each of them was touched. The cursor is the seq of
-- the last location that was.
CREATE TABLE tariff_news (
    seq          INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    country_code TEXT NOT NULL,
    party_id     TEXT NOT NULL,
    cursor       BIGINT NOT NULL,
    body         TEXT NOT NULL
);
