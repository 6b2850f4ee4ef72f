-- A over all phases, where a station measures it: tariffs may have prices that depend on the current.
ALTER TABLE meter_samples ADD COLUMN current TEXT;
