-- Signed meter values of a sample, as the station gave them: a JSON list of texts. They go into the CDR.
ALTER TABLE meter_samples ADD COLUMN signed_values TEXT;
