DROP TABLE load_outlooks;
