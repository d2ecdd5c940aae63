DROP FUNCTION empty_default_partitions(date);
DROP FUNCTION make_history_partitions(date, integer);
DROP FUNCTION make_history_partition(text, date);
DROP FUNCTION day_begins(date);
DROP FUNCTION history_day(timestamptz);
DROP TABLE race_polls;
DROP TABLE money_flow_history;
DROP TABLE odds_history;
