DROP TABLE load_history;
DROP TABLE load_events;
DROP TABLE load_ledger;
DROP TABLE load_sites;
