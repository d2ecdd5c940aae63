-- History that is older than it is to be kept waits here, out of every query's way, until it is archived and dropped.
CREATE SCHEMA detached;

-- The days that are attached to the three tables of history; DEFAULT is none.
CREATE VIEW history_partitions AS
SELECT
    parent.relname::text AS history,
    child.relname::text AS partition,
    to_date(right(child.relname, 10), 'YYYY_MM_DD') AS day,
    coalesce(obj_description(child.oid, 'pg_class') = 'restored', false) AS restored
FROM pg_inherits
JOIN pg_class AS child ON child.oid = inhrelid
JOIN pg_class AS parent ON parent.oid = inhparent
WHERE parent.oid IN ('odds_history'::regclass, 'money_flow_history'::regclass, 'race_polls'::regclass)
    AND child.relname ~ '_\d{4}_\d{2}_\d{2}$';

-- Takes one day out of its table and puts it into the schema `detached`; false when the day has no partition.
-- A day that is detached a second time, because rows came late, gets `_2` behind its name, then `_3`.
-- DETACH CONCURRENTLY does not go with a DEFAULT partition. Locks are taken in the order of `make_history_partition`.
CREATE FUNCTION detach_history_partition(history text, day date) RETURNS boolean
LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    partition text;
    free_name text;
    index_name text;
    times integer := 1;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('raceday.partitions'));
    SELECT attached.partition INTO partition FROM history_partitions AS attached
    WHERE attached.history = detach_history_partition.history AND attached.day = detach_history_partition.day;
    IF partition IS NULL THEN
        RETURN false;
    END IF;
    LOCK TABLE entrants IN SHARE ROW EXCLUSIVE MODE;
    EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', history, partition);
    EXECUTE format('COMMENT ON TABLE %I IS NULL', partition);
    free_name := partition;
    WHILE to_regclass(format('detached.%I', free_name)) IS NOT NULL LOOP
        times := times + 1;
        free_name := partition || '_' || times;
    END LOOP;
    IF free_name <> partition THEN
        EXECUTE format('ALTER TABLE %I RENAME TO %I', partition, free_name);
        FOR index_name IN SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = free_name::regclass LOOP
            EXECUTE format('ALTER INDEX %I RENAME TO %I', index_name, left(index_name, 60) || '_' || times);
        END LOOP;
    END IF;
    EXECUTE format('ALTER TABLE %I SET SCHEMA detached', free_name);
    RAISE LOG 'raceday: % detached', free_name;
    RETURN true;
END
$$;

-- Detaches every day before a date, also days that only DEFAULT has rows of; returns how many partitions that were.
-- Days that were restored from an archive stay until they are detached by name.
CREATE FUNCTION detach_history_partitions(before date) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    detached integer;
BEGIN
    PERFORM empty_default_partitions('-infinity');
    SELECT count(*) FILTER (WHERE detach_history_partition(old.history, old.day)) INTO detached
    FROM (
        SELECT * FROM history_partitions AS attached
        WHERE attached.day < before AND NOT attached.restored
        ORDER BY attached.day, attached.history
        OFFSET 0
    ) AS old;
    RETURN detached;
END
$$;
