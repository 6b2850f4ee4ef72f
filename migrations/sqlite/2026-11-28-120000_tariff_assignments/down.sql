DROP TABLE tariff_news;
DROP TABLE tariff_assignments;
DROP TABLE tariff_groups;
ALTER TABLE tariffs DROP COLUMN end_at;
ALTER TABLE tariffs DROP COLUMN start_at;
DROP INDEX locations_by_tariff_ids;
ALTER TABLE locations DROP COLUMN tariff_ids;
