DROP TABLE cdr_credits;
DROP TABLE cdr_checks;
