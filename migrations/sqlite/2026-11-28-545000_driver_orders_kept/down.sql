DROP INDEX driver_orders_by_created;
