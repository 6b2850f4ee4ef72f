-- Orders of drivers that were kept for their time are found by their age.
CREATE INDEX driver_orders_by_created ON driver_orders(created, id);
