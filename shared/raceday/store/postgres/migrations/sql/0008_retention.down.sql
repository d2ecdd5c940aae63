DROP FUNCTION detach_history_partitions(date);
DROP FUNCTION detach_history_partition(text, date);
DROP VIEW history_partitions;
-- Refused while tables lie in it: archive and drop them first.
DROP SCHEMA detached;
