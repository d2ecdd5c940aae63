-- The days of the history are New Zealand's: a racing day begins in the morning there, and ends after midnight UTC.

-- Every price of every runner, when it was first seen or moved by a cent or more; with the feed's own record of its
-- fixed win price.
CREATE TABLE odds_history (
    id text NOT NULL,
    odds double precision NOT NULL,
    event_timestamp timestamptz NOT NULL,
    type text NOT NULL CHECK (type IN ('fixed_win', 'fixed_place', 'pool_win', 'pool_place')),
    race_id text,
    entrant_id text REFERENCES entrants (entrant_id) ON DELETE CASCADE,
    is_opening boolean DEFAULT false,
    time_interval bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, event_timestamp)
) PARTITION BY RANGE (event_timestamp);

-- Where the money went: one row for each runner and time bucket; the last poll of a bucket wins.
CREATE TABLE money_flow_history (
    id text NOT NULL,
    race_id text,
    entrant_id text REFERENCES entrants (entrant_id) ON DELETE CASCADE,
    type text NOT NULL CHECK (type = 'bucketed_aggregation'),
    event_timestamp timestamptz NOT NULL,
    polling_timestamp timestamptz,
    hold_percentage double precision,
    bet_percentage double precision,
    time_to_start bigint,
    time_interval bigint,
    interval_type text CHECK (interval_type IN ('5m', '2m', '30s', 'live')),
    pool_type text CHECK (pool_type = 'combined'),
    win_pool_amount bigint,
    place_pool_amount bigint,
    total_pool_amount bigint,
    incremental_amount bigint,
    incremental_win_amount bigint,
    incremental_place_amount bigint,
    win_pool_percentage double precision,
    place_pool_percentage double precision,
    fixed_win_odds double precision,
    fixed_place_odds double precision,
    pool_win_odds double precision,
    pool_place_odds double precision,
    data_quality_score bigint,
    polling_latency_ms bigint,
    mathematically_consistent boolean,
    is_stale boolean,
    previous_interval bigint,
    implied_percentage double precision,
    is_baseline boolean,
    estimator text CHECK (estimator IN ('hold', 'tote-implied')),
    after_scratching boolean,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, event_timestamp)
) PARTITION BY RANGE (event_timestamp);

-- Every poll that succeeded: how punctual, how fast, how good. Those that failed are in `poll_logs`.
CREATE TABLE race_polls (
    id text NOT NULL,
    race_id text NOT NULL,
    polled_at timestamptz NOT NULL,
    due_at timestamptz,
    interval_s bigint,
    lateness_s double precision,
    latency_ms bigint,
    status text CHECK (status IN ('Open', 'Closed', 'Interim', 'Final', 'Abandoned')),
    changed boolean,
    data_quality_score bigint,
    completeness_points double precision,
    hold_sum_points double precision,
    hold_against_implied_points double precision,
    monotone_pools_points double precision,
    payload_age_points double precision,
    duplicates_points double precision,
    mathematically_consistent boolean,
    is_stale boolean,
    payload_at timestamptz,
    polled_by text,
    degraded boolean DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id, polled_at)
) PARTITION BY RANGE (polled_at);

CREATE TRIGGER stamp_odds_history BEFORE UPDATE ON odds_history
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at AND current_setting('raceday.stamps', true) IS DISTINCT FROM 'own')
    EXECUTE FUNCTION stamp_update();

CREATE TRIGGER stamp_money_flow_history BEFORE UPDATE ON money_flow_history
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at AND current_setting('raceday.stamps', true) IS DISTINCT FROM 'own')
    EXECUTE FUNCTION stamp_update();

CREATE TRIGGER stamp_race_polls BEFORE UPDATE ON race_polls
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at AND current_setting('raceday.stamps', true) IS DISTINCT FROM 'own')
    EXECUTE FUNCTION stamp_update();

CREATE TABLE odds_history_default PARTITION OF odds_history DEFAULT;
CREATE TABLE money_flow_history_default PARTITION OF money_flow_history DEFAULT;
CREATE TABLE race_polls_default PARTITION OF race_polls DEFAULT;

-- The New Zealand date of an instant.
CREATE FUNCTION history_day(at timestamptz) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (at AT TIME ZONE 'Pacific/Auckland')::date;

-- The first instant of a New Zealand date, also where a date begins with another offset than it ends.
CREATE FUNCTION day_begins(day date) RETURNS timestamptz LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN day::timestamp AT TIME ZONE 'Pacific/Auckland';

-- Makes the partition of one day, and moves into it what DEFAULT holds of that day; false when there is one already.
-- Writers of a poll lock entrants before history, and so does this: neither ever waits for the other in a circle.
CREATE FUNCTION make_history_partition(history text, day date) RETURNS boolean
LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    partition text := history || '_' || to_char(day, 'YYYY_MM_DD');
    event_column text := CASE history
        WHEN 'odds_history' THEN 'event_timestamp'
        WHEN 'money_flow_history' THEN 'event_timestamp'
        WHEN 'race_polls' THEN 'polled_at'
    END;
BEGIN
    IF event_column IS NULL THEN
        RAISE EXCEPTION '% is no table with partitions', history;
    END IF;
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('raceday.partitions'));
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN false;
    END IF;
    LOCK TABLE entrants IN SHARE ROW EXCLUSIVE MODE;
    EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', history || '_default');
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', partition, history);
    EXECUTE format(
        'WITH moved AS (DELETE FROM %I WHERE %I >= %L AND %I < %L RETURNING *) INSERT INTO %I SELECT * FROM moved',
        history || '_default', event_column, day_begins(day), event_column, day_begins(day + 1), partition
    );
    EXECUTE format(
        'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        history, partition, day_begins(day), day_begins(day + 1)
    );
    RETURN true;
END
$$;

-- Makes the partitions of all three tables from a day on; returns how many were missing.
CREATE FUNCTION make_history_partitions(first_day date, days integer) RETURNS integer LANGUAGE sql AS $$
    SELECT count(*) FILTER (WHERE make_history_partition(history, first_day + ahead))::integer
    FROM generate_series(0, days - 1) AS ahead,
         unnest(ARRAY['odds_history', 'money_flow_history', 'race_polls']) AS history
$$;

-- Gives every day that has rows in DEFAULT, from a day on, a partition of its own; returns how many were made.
CREATE FUNCTION empty_default_partitions(oldest_day date) RETURNS integer LANGUAGE sql AS $$
    SELECT count(*) FILTER (WHERE make_history_partition(history, day))::integer
    FROM (
        SELECT DISTINCT 'odds_history' AS history, history_day(event_timestamp) AS day FROM odds_history_default
        UNION ALL
        SELECT DISTINCT 'money_flow_history', history_day(event_timestamp) FROM money_flow_history_default
        UNION ALL
        SELECT DISTINCT 'race_polls', history_day(polled_at) FROM race_polls_default
    ) AS strays
    WHERE day >= oldest_day
$$;
