-- The fixed prices of a race's runners by number, as the client reads them with its result.
CREATE FUNCTION fixed_odds_of(of_race text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT coalesce(
        json_object_agg(
            runner_number,
            json_build_object(
                'fixed_win', fixed_win_odds, 'fixed_place', fixed_place_odds, 'runner_name', name,
                'entrant_id', entrant_id
            )
            ORDER BY runner_number
        ),
        '{}'
    )::text
    FROM entrants WHERE race_id = of_race
$$;

-- Writes prices. A price of a runner that was seen twice within the source's 15 seconds has the same id and is one
-- row: the later word counts, also where the earlier one lies a moment before.
CREATE FUNCTION put_odds(ticks jsonb, at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    ids text[];
    first_at timestamptz;
    last_at timestamptz;
BEGIN
    SELECT array_agg(said.id), min(said.event_timestamp), max(said.event_timestamp) INTO ids, first_at, last_at
    FROM jsonb_to_recordset(ticks) AS said (id text, event_timestamp timestamptz);
    -- Seldom: two polls of one runner within 15 seconds. To look is cheaper than to delete nothing.
    IF EXISTS (
        SELECT FROM odds_history AS stored
        WHERE stored.id = ANY(ids)
            AND stored.event_timestamp >= first_at - interval '15 seconds'
            AND stored.event_timestamp <= last_at + interval '15 seconds'
    ) THEN
        DELETE FROM odds_history AS stored USING jsonb_to_recordset(ticks) AS said (id text, event_timestamp timestamptz)
        WHERE stored.id = said.id AND stored.event_timestamp <> said.event_timestamp
            AND stored.event_timestamp >= first_at - interval '15 seconds'
            AND stored.event_timestamp <= last_at + interval '15 seconds';
    END IF;
    INSERT INTO odds_history AS kept (
        id, odds, event_timestamp, type, race_id, entrant_id, is_opening, time_interval, created_at, updated_at
    )
    SELECT
        said.id, said.odds, said.event_timestamp, said.type, said.race_id, said.entrant_id,
        coalesce(said.is_opening, false), said.time_interval, at, at
    FROM jsonb_to_recordset(ticks) AS said (
        id text, odds double precision, event_timestamp timestamptz, type text, race_id text, entrant_id text,
        is_opening boolean, time_interval bigint
    )
    ON CONFLICT (id, event_timestamp) DO UPDATE SET (odds, is_opening, updated_at) = (excluded.odds, excluded.is_opening, at)
    WHERE kept.odds <> excluded.odds OR kept.is_opening IS DISTINCT FROM excluded.is_opening;
END
$$;

-- Writes buckets, each in place of what is stored of it between two instants, wherever that lies: the last poll of a
-- bucket may come after midnight, and its row moves to the next day's partition.
CREATE FUNCTION put_buckets(
    buckets jsonb, at timestamptz, since timestamptz, until timestamptz, may_insert boolean DEFAULT true
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    WITH said AS MATERIALIZED (
        SELECT n.*, (stored.was).event_timestamp AS stored_at
        FROM jsonb_array_elements(buckets) AS said
        LEFT JOIN LATERAL (
            SELECT bucket AS was FROM money_flow_history AS bucket
            WHERE bucket.id = said ->> 'id' AND bucket.event_timestamp BETWEEN since AND until
            ORDER BY bucket.event_timestamp DESC LIMIT 1
        ) AS stored ON true
        CROSS JOIN LATERAL jsonb_populate_record(stored.was, said) AS n
    ),
    updated AS (
        UPDATE money_flow_history AS kept SET (
            type, event_timestamp, polling_timestamp, hold_percentage, bet_percentage, time_to_start, interval_type,
            pool_type, win_pool_amount, place_pool_amount, total_pool_amount, incremental_amount,
            incremental_win_amount, incremental_place_amount, win_pool_percentage, place_pool_percentage,
            fixed_win_odds, fixed_place_odds, pool_win_odds, pool_place_odds, data_quality_score, polling_latency_ms,
            mathematically_consistent, is_stale, previous_interval, implied_percentage, is_baseline, estimator,
            after_scratching, updated_at
        ) = (
            said.type, said.event_timestamp, said.polling_timestamp, said.hold_percentage, said.bet_percentage,
            said.time_to_start, said.interval_type, said.pool_type, said.win_pool_amount, said.place_pool_amount,
            said.total_pool_amount, said.incremental_amount, said.incremental_win_amount,
            said.incremental_place_amount, said.win_pool_percentage, said.place_pool_percentage, said.fixed_win_odds,
            said.fixed_place_odds, said.pool_win_odds, said.pool_place_odds, said.data_quality_score,
            said.polling_latency_ms, said.mathematically_consistent, said.is_stale, said.previous_interval,
            said.implied_percentage, said.is_baseline, said.estimator, said.after_scratching, at
        )
        FROM said
        WHERE kept.id = said.id AND kept.event_timestamp = said.stored_at
            AND kept.event_timestamp BETWEEN since AND until
    )
    INSERT INTO money_flow_history (
        id, race_id, entrant_id, type, event_timestamp, polling_timestamp, hold_percentage, bet_percentage,
        time_to_start, time_interval, interval_type, pool_type, win_pool_amount, place_pool_amount,
        total_pool_amount, incremental_amount, incremental_win_amount, incremental_place_amount, win_pool_percentage,
        place_pool_percentage, fixed_win_odds, fixed_place_odds, pool_win_odds, pool_place_odds, data_quality_score,
        polling_latency_ms, mathematically_consistent, is_stale, previous_interval, implied_percentage, is_baseline,
        estimator, after_scratching, created_at, updated_at
    )
    SELECT
        said.id, said.race_id, said.entrant_id, said.type, said.event_timestamp, said.polling_timestamp,
        said.hold_percentage, said.bet_percentage, said.time_to_start, said.time_interval, said.interval_type,
        said.pool_type, said.win_pool_amount, said.place_pool_amount, said.total_pool_amount,
        said.incremental_amount, said.incremental_win_amount, said.incremental_place_amount,
        said.win_pool_percentage, said.place_pool_percentage, said.fixed_win_odds, said.fixed_place_odds,
        said.pool_win_odds, said.pool_place_odds, said.data_quality_score, said.polling_latency_ms,
        said.mathematically_consistent, said.is_stale, said.previous_interval, said.implied_percentage,
        said.is_baseline, said.estimator, said.after_scratching, at, at
    FROM said WHERE said.stored_at IS NULL AND may_insert
    ON CONFLICT (id, event_timestamp) DO NOTHING;
END
$$;

-- One poll, all of it or nothing, behind the fence of its claim (see `raceday.store.rows.claims`). Returns 'written',
-- 'written before', or why the claim's holder may not write.
CREATE FUNCTION save_poll(poll jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    of_race CONSTANT text := poll ->> 'race_id';
    at CONSTANT timestamptz := poll ->> 'polled_at';
    claim poll_claims;
    since timestamptz;
    until timestamptz;
BEGIN
    SELECT * INTO claim FROM poll_claims WHERE race_id = of_race FOR UPDATE;
    IF claim.race_id IS NULL OR claim.token <> (poll ->> 'token')::bigint THEN
        RETURN 'taken over';
    ELSIF claim.owner IS NULL AND claim.last_poll_at = at THEN
        RETURN 'written before';
    ELSIF claim.owner IS DISTINCT FROM poll ->> 'owner' THEN
        RETURN 'given back';
    ELSIF claim.last_poll_at > at THEN
        RETURN 'polled later';
    END IF;
    IF poll ? 'race' THEN
        PERFORM upsert_races(jsonb_build_array(poll -> 'race'), at);
        PERFORM upsert_entrants(poll -> 'entrants', at);
        UPDATE entrants AS runner SET
            win_pool_amount = said.win_pool_amount, place_pool_amount = said.place_pool_amount,
            last_updated = at, updated_at = at
        FROM jsonb_to_recordset(poll -> 'amounts')
            AS said (entrant_id text, win_pool_amount bigint, place_pool_amount bigint)
        WHERE runner.entrant_id = said.entrant_id;
    END IF;
    UPDATE races SET
        last_poll_time = at,
        entrants_imported_at = coalesce(entrants_imported_at, at),
        odds_from = least(odds_from, (poll ->> 'odds_from')::timestamptz),
        flow_from = least(flow_from, (poll ->> 'flow_from')::timestamptz),
        history_to = greatest(history_to, (poll ->> 'history_to')::timestamptz),
        updated_at = at
    WHERE race_id = of_race
    RETURNING flow_from, history_to INTO since, until;
    IF poll ? 'odds' THEN
        PERFORM put_odds(poll -> 'odds', at);
    END IF;
    IF poll ? 'buckets' THEN
        PERFORM put_buckets(poll -> 'buckets', at, since, until);
    END IF;
    IF poll ? 'repairs' THEN
        PERFORM put_buckets(poll -> 'repairs', at, since, until, may_insert => false);
    END IF;
    IF poll ? 'pools' THEN
        PERFORM upsert_race_pools(jsonb_build_array(poll -> 'pools'), at);
    END IF;
    IF poll ? 'result' THEN
        PERFORM upsert_race_results(
            jsonb_build_array((poll -> 'result') || jsonb_build_object('fixed_odds_data', fixed_odds_of(of_race))), at
        );
    END IF;
    INSERT INTO race_polls (
        id, race_id, polled_at, due_at, interval_s, lateness_s, latency_ms, status, changed, data_quality_score,
        completeness_points, hold_sum_points, hold_against_implied_points, monotone_pools_points, payload_age_points,
        duplicates_points, mathematically_consistent, is_stale, payload_at, polled_by, degraded, created_at,
        updated_at
    )
    SELECT
        n.id, n.race_id, n.polled_at, n.due_at, n.interval_s, n.lateness_s, n.latency_ms, n.status, n.changed,
        n.data_quality_score, n.completeness_points, n.hold_sum_points, n.hold_against_implied_points,
        n.monotone_pools_points, n.payload_age_points, n.duplicates_points, n.mathematically_consistent, n.is_stale,
        n.payload_at, n.polled_by, n.degraded, at, at
    FROM jsonb_populate_record(NULL::race_polls, poll -> 'poll') AS n
    ON CONFLICT (id, polled_at) DO NOTHING;
    IF poll ? 'degraded' THEN
        PERFORM upsert_poll_logs(jsonb_build_array(poll -> 'degraded'), at);
    END IF;
    UPDATE poll_claims SET
        owner = NULL, claimed_at = NULL, expires_at = NULL, not_before = NULL, last_poll_at = at, updated_at = at
    WHERE race_id = of_race;
    RETURN 'written';
END
$$;

