ALTER TABLE meter_samples DROP COLUMN signed_values;
