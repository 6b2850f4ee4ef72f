ALTER TABLE meter_samples DROP COLUMN current;
