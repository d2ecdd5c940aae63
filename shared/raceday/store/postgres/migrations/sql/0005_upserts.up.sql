-- What a row does not name keeps its value, null empties it; a new row begins with the catalogue's defaults.

CREATE FUNCTION upsert_meetings(rows jsonb, at timestamptz, may_insert boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO meetings AS kept (
        meeting_id, meeting_name, country, state, race_type, category, category_name, date, track_condition, status,
        track_direction, track_surface, rail_position, weather, last_updated, api_generated_time, data_source,
        tote_status, tote_meeting_number, video_channels, quaddie, early_quaddie, tote_running_doubles, tote_trebles,
        races_imported_at, races_attempts, created_at, updated_at
    )
    SELECT
        n.meeting_id, n.meeting_name, n.country, n.state, n.race_type, n.category, n.category_name, n.date,
        n.track_condition, n.status, n.track_direction, n.track_surface, n.rail_position, n.weather, n.last_updated,
        n.api_generated_time, n.data_source, n.tote_status, n.tote_meeting_number, n.video_channels, n.quaddie,
        n.early_quaddie, n.tote_running_doubles, n.tote_trebles, n.races_imported_at, n.races_attempts,
        coalesce(stored.created_at, at), at
    FROM jsonb_array_elements(rows) AS said
    LEFT JOIN meetings AS stored ON stored.meeting_id = said ->> 'meeting_id'
    CROSS JOIN LATERAL jsonb_populate_record(
        stored, CASE WHEN stored.meeting_id IS NULL THEN '{"races_attempts": 0, "meeting_name": "", "country": "", "race_type": "", "status": ""}'::jsonb || said ELSE said END
    ) AS n
    WHERE may_insert OR stored.meeting_id IS NOT NULL
    ON CONFLICT (meeting_id) DO UPDATE SET (
        meeting_name, country, state, race_type, category, category_name, date, track_condition, status,
        track_direction, track_surface, rail_position, weather, last_updated, api_generated_time, data_source,
        tote_status, tote_meeting_number, video_channels, quaddie, early_quaddie, tote_running_doubles, tote_trebles,
        races_imported_at, races_attempts, updated_at
    ) = (
        excluded.meeting_name, excluded.country, excluded.state, excluded.race_type, excluded.category,
        excluded.category_name, excluded.date, excluded.track_condition, excluded.status, excluded.track_direction,
        excluded.track_surface, excluded.rail_position, excluded.weather, excluded.last_updated,
        excluded.api_generated_time, excluded.data_source, excluded.tote_status, excluded.tote_meeting_number,
        excluded.video_channels, excluded.quaddie, excluded.early_quaddie, excluded.tote_running_doubles,
        excluded.tote_trebles, excluded.races_imported_at, excluded.races_attempts, excluded.updated_at
    );
END
$$;

CREATE FUNCTION upsert_races(rows jsonb, at timestamptz, may_insert boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO races AS kept (
        race_id, name, race_number, start_time, actual_start, tote_start_time, start_time_nz, race_date_nz, distance,
        track_condition, track_surface, weather, status, type, total_prize_money, entrant_count, field_size,
        positions_paid, last_updated, imported_at, last_poll_time, last_status_change, finalized_at, abandoned_at,
        abandoned_by, silk_url, silk_base_url, video_channels, meeting_id, track_direction, rail_position,
        start_type, race_group, race_class, comment, protest_lodged, protest_reason, entrants_imported_at,
        entrants_attempts, api_generated_time, content_hash, moved_runners, created_at, updated_at
    )
    SELECT
        n.race_id, n.name, n.race_number, n.start_time, n.actual_start, n.tote_start_time, n.start_time_nz,
        n.race_date_nz, n.distance, n.track_condition, n.track_surface, n.weather, n.status, n.type,
        n.total_prize_money, n.entrant_count, n.field_size, n.positions_paid, n.last_updated, n.imported_at,
        n.last_poll_time, n.last_status_change, n.finalized_at, n.abandoned_at, n.abandoned_by, n.silk_url,
        n.silk_base_url, n.video_channels, n.meeting_id, n.track_direction, n.rail_position, n.start_type,
        n.race_group, n.race_class, n.comment, n.protest_lodged, n.protest_reason, n.entrants_imported_at,
        n.entrants_attempts, n.api_generated_time, n.content_hash, n.moved_runners, coalesce(stored.created_at, at),
        at
    FROM jsonb_array_elements(rows) AS said
    LEFT JOIN races AS stored ON stored.race_id = said ->> 'race_id'
    CROSS JOIN LATERAL jsonb_populate_record(
        stored, CASE WHEN stored.race_id IS NULL THEN '{"entrants_attempts": 0, "name": "", "race_number": 0, "status": ""}'::jsonb || said ELSE said END
    ) AS n
    WHERE may_insert OR stored.race_id IS NOT NULL
    ON CONFLICT (race_id) DO UPDATE SET (
        name, race_number, start_time, actual_start, tote_start_time, start_time_nz, race_date_nz, distance,
        track_condition, track_surface, weather, status, type, total_prize_money, entrant_count, field_size,
        positions_paid, last_updated, imported_at, last_poll_time, last_status_change, finalized_at, abandoned_at,
        abandoned_by, silk_url, silk_base_url, video_channels, meeting_id, track_direction, rail_position,
        start_type, race_group, race_class, comment, protest_lodged, protest_reason, entrants_imported_at,
        entrants_attempts, api_generated_time, content_hash, moved_runners, updated_at
    ) = (
        excluded.name, excluded.race_number, excluded.start_time, excluded.actual_start, excluded.tote_start_time,
        excluded.start_time_nz, excluded.race_date_nz, excluded.distance, excluded.track_condition,
        excluded.track_surface, excluded.weather, excluded.status, excluded.type, excluded.total_prize_money,
        excluded.entrant_count, excluded.field_size, excluded.positions_paid, excluded.last_updated,
        excluded.imported_at, excluded.last_poll_time, excluded.last_status_change, excluded.finalized_at,
        excluded.abandoned_at, excluded.abandoned_by, excluded.silk_url, excluded.silk_base_url,
        excluded.video_channels, excluded.meeting_id, excluded.track_direction, excluded.rail_position,
        excluded.start_type, excluded.race_group, excluded.race_class, excluded.comment, excluded.protest_lodged,
        excluded.protest_reason, excluded.entrants_imported_at, excluded.entrants_attempts,
        excluded.api_generated_time, excluded.content_hash, excluded.moved_runners, excluded.updated_at
    );
END
$$;

CREATE FUNCTION upsert_entrants(rows jsonb, at timestamptz, may_insert boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO entrants AS kept (
        entrant_id, name, runner_number, barrier, race_id, is_scratched, is_late_scratched, favourite, mover,
        scratch_time, runner_change, fixed_win_odds, fixed_place_odds, pool_win_odds, pool_place_odds, jockey,
        trainer_name, silk_colours, silk_url_64, silk_url_128, last_updated, imported_at, barrier_position,
        trainer_location, hold_percentage, bet_percentage, implied_percentage, win_pool_amount, place_pool_amount,
        alert_odds, win_deduction, place_deduction, is_emergency, emergency_position, weight_total, weight_allocated,
        age, sex, colour, gear, last_twenty_starts, apprentice_indicator, opening_fixed_win_odds, opening_at,
        content_hash, created_at, updated_at
    )
    SELECT
        n.entrant_id, n.name, n.runner_number, n.barrier, n.race_id, n.is_scratched, n.is_late_scratched,
        n.favourite, n.mover, n.scratch_time, n.runner_change, n.fixed_win_odds, n.fixed_place_odds, n.pool_win_odds,
        n.pool_place_odds, n.jockey, n.trainer_name, n.silk_colours, n.silk_url_64, n.silk_url_128, n.last_updated,
        n.imported_at, n.barrier_position, n.trainer_location, n.hold_percentage, n.bet_percentage,
        n.implied_percentage, n.win_pool_amount, n.place_pool_amount, n.alert_odds, n.win_deduction,
        n.place_deduction, n.is_emergency, n.emergency_position, n.weight_total, n.weight_allocated, n.age, n.sex,
        n.colour, n.gear, n.last_twenty_starts, n.apprentice_indicator, n.opening_fixed_win_odds, n.opening_at,
        n.content_hash, coalesce(stored.created_at, at), at
    FROM jsonb_array_elements(rows) AS said
    LEFT JOIN entrants AS stored ON stored.entrant_id = said ->> 'entrant_id'
    CROSS JOIN LATERAL jsonb_populate_record(
        stored, CASE WHEN stored.entrant_id IS NULL THEN '{"is_scratched": false, "is_late_scratched": false, "favourite": false, "mover": false, "name": "", "runner_number": 0}'::jsonb || said ELSE said END
    ) AS n
    WHERE may_insert OR stored.entrant_id IS NOT NULL
    ON CONFLICT (entrant_id) DO UPDATE SET (
        name, runner_number, barrier, race_id, is_scratched, is_late_scratched, favourite, mover, scratch_time,
        runner_change, fixed_win_odds, fixed_place_odds, pool_win_odds, pool_place_odds, jockey, trainer_name,
        silk_colours, silk_url_64, silk_url_128, last_updated, imported_at, barrier_position, trainer_location,
        hold_percentage, bet_percentage, implied_percentage, win_pool_amount, place_pool_amount, alert_odds,
        win_deduction, place_deduction, is_emergency, emergency_position, weight_total, weight_allocated, age, sex,
        colour, gear, last_twenty_starts, apprentice_indicator, opening_fixed_win_odds, opening_at, content_hash,
        updated_at
    ) = (
        excluded.name, excluded.runner_number, excluded.barrier, excluded.race_id, excluded.is_scratched,
        excluded.is_late_scratched, excluded.favourite, excluded.mover, excluded.scratch_time,
        excluded.runner_change, excluded.fixed_win_odds, excluded.fixed_place_odds, excluded.pool_win_odds,
        excluded.pool_place_odds, excluded.jockey, excluded.trainer_name, excluded.silk_colours,
        excluded.silk_url_64, excluded.silk_url_128, excluded.last_updated, excluded.imported_at,
        excluded.barrier_position, excluded.trainer_location, excluded.hold_percentage, excluded.bet_percentage,
        excluded.implied_percentage, excluded.win_pool_amount, excluded.place_pool_amount, excluded.alert_odds,
        excluded.win_deduction, excluded.place_deduction, excluded.is_emergency, excluded.emergency_position,
        excluded.weight_total, excluded.weight_allocated, excluded.age, excluded.sex, excluded.colour, excluded.gear,
        excluded.last_twenty_starts, excluded.apprentice_indicator, excluded.opening_fixed_win_odds,
        excluded.opening_at, excluded.content_hash, excluded.updated_at
    );
END
$$;

CREATE FUNCTION upsert_race_results(rows jsonb, at timestamptz, may_insert boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO race_results AS kept (
        race_id, results_available, result_status, result_time, results_data, fixed_odds_data, dividends_data,
        photo_finish, stewards_inquiry, protest_lodged, protest_reason, substitutes, placing_count, dividend_count,
        content_hash, created_at, updated_at
    )
    SELECT
        n.race_id, n.results_available, n.result_status, n.result_time, n.results_data, n.fixed_odds_data,
        n.dividends_data, n.photo_finish, n.stewards_inquiry, n.protest_lodged, n.protest_reason, n.substitutes,
        n.placing_count, n.dividend_count, n.content_hash, coalesce(stored.created_at, at), at
    FROM jsonb_array_elements(rows) AS said
    LEFT JOIN race_results AS stored ON stored.race_id = said ->> 'race_id'
    CROSS JOIN LATERAL jsonb_populate_record(
        stored, CASE WHEN stored.race_id IS NULL THEN '{"results_available": false, "photo_finish": false, "stewards_inquiry": false, "protest_lodged": false}'::jsonb || said ELSE said END
    ) AS n
    WHERE may_insert OR stored.race_id IS NOT NULL
    ON CONFLICT (race_id) DO UPDATE SET (
        results_available, result_status, result_time, results_data, fixed_odds_data, dividends_data, photo_finish,
        stewards_inquiry, protest_lodged, protest_reason, substitutes, placing_count, dividend_count, content_hash,
        updated_at
    ) = (
        excluded.results_available, excluded.result_status, excluded.result_time, excluded.results_data,
        excluded.fixed_odds_data, excluded.dividends_data, excluded.photo_finish, excluded.stewards_inquiry,
        excluded.protest_lodged, excluded.protest_reason, excluded.substitutes, excluded.placing_count,
        excluded.dividend_count, excluded.content_hash, excluded.updated_at
    );
END
$$;

CREATE FUNCTION upsert_race_pools(rows jsonb, at timestamptz, may_insert boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO race_pools AS kept (
        race_id, win_pool_total, place_pool_total, quinella_pool_total, trifecta_pool_total, exacta_pool_total,
        first4_pool_total, total_race_pool, currency, last_updated, multi_leg_pool_total, multi_leg_pools,
        unknown_pools, has_data, created_at, updated_at
    )
    SELECT
        n.race_id, n.win_pool_total, n.place_pool_total, n.quinella_pool_total, n.trifecta_pool_total,
        n.exacta_pool_total, n.first4_pool_total, n.total_race_pool, n.currency, n.last_updated,
        n.multi_leg_pool_total, n.multi_leg_pools, n.unknown_pools, n.has_data, coalesce(stored.created_at, at), at
    FROM jsonb_array_elements(rows) AS said
    LEFT JOIN race_pools AS stored ON stored.race_id = said ->> 'race_id'
    CROSS JOIN LATERAL jsonb_populate_record(
        stored, CASE WHEN stored.race_id IS NULL THEN '{"win_pool_total": 0, "place_pool_total": 0, "quinella_pool_total": 0, "trifecta_pool_total": 0, "exacta_pool_total": 0, "first4_pool_total": 0, "total_race_pool": 0, "currency": "$", "multi_leg_pool_total": 0, "has_data": false}'::jsonb || said ELSE said END
    ) AS n
    WHERE may_insert OR stored.race_id IS NOT NULL
    ON CONFLICT (race_id) DO UPDATE SET (
        win_pool_total, place_pool_total, quinella_pool_total, trifecta_pool_total, exacta_pool_total,
        first4_pool_total, total_race_pool, currency, last_updated, multi_leg_pool_total, multi_leg_pools,
        unknown_pools, has_data, updated_at
    ) = (
        excluded.win_pool_total, excluded.place_pool_total, excluded.quinella_pool_total,
        excluded.trifecta_pool_total, excluded.exacta_pool_total, excluded.first4_pool_total,
        excluded.total_race_pool, excluded.currency, excluded.last_updated, excluded.multi_leg_pool_total,
        excluded.multi_leg_pools, excluded.unknown_pools, excluded.has_data, excluded.updated_at
    );
END
$$;

CREATE FUNCTION upsert_jockey_silks(rows jsonb, at timestamptz, may_insert boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO jockey_silks AS kept (
        silk_id, description, primary_color, secondary_color, pattern, icon_url, jockey_name, svg_data, last_updated,
        body, sleeves, cap, resolved, unresolved_words, colour_check, colour_check_reason, image_url, created_at,
        updated_at
    )
    SELECT
        n.silk_id, n.description, n.primary_color, n.secondary_color, n.pattern, n.icon_url, n.jockey_name,
        n.svg_data, n.last_updated, n.body, n.sleeves, n.cap, n.resolved, n.unresolved_words, n.colour_check,
        n.colour_check_reason, n.image_url, coalesce(stored.created_at, at), at
    FROM jsonb_array_elements(rows) AS said
    LEFT JOIN jockey_silks AS stored ON stored.silk_id = said ->> 'silk_id'
    CROSS JOIN LATERAL jsonb_populate_record(
        stored, CASE WHEN stored.silk_id IS NULL THEN said ELSE said END
    ) AS n
    WHERE may_insert OR stored.silk_id IS NOT NULL
    ON CONFLICT (silk_id) DO UPDATE SET (
        description, primary_color, secondary_color, pattern, icon_url, jockey_name, svg_data, last_updated, body,
        sleeves, cap, resolved, unresolved_words, colour_check, colour_check_reason, image_url, updated_at
    ) = (
        excluded.description, excluded.primary_color, excluded.secondary_color, excluded.pattern, excluded.icon_url,
        excluded.jockey_name, excluded.svg_data, excluded.last_updated, excluded.body, excluded.sleeves,
        excluded.cap, excluded.resolved, excluded.unresolved_words, excluded.colour_check,
        excluded.colour_check_reason, excluded.image_url, excluded.updated_at
    );
END
$$;

CREATE FUNCTION upsert_user_alert_configs(rows jsonb, at timestamptz, may_insert boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO user_alert_configs AS kept (
        id, user_id, indicator_type, percentage_range_min, percentage_range_max, color, is_default, enabled,
        display_order, audible_alerts_enabled, last_updated, client_created_at, entrant_id, race_id, alert_type,
        threshold, time_window_seconds, cooldown_seconds, permissions, created_at, updated_at
    )
    SELECT
        n.id, n.user_id, n.indicator_type, n.percentage_range_min, n.percentage_range_max, n.color, n.is_default,
        n.enabled, n.display_order, n.audible_alerts_enabled, n.last_updated, n.client_created_at, n.entrant_id,
        n.race_id, n.alert_type, n.threshold, n.time_window_seconds, n.cooldown_seconds, n.permissions,
        coalesce(stored.created_at, at), at
    FROM jsonb_array_elements(rows) AS said
    LEFT JOIN user_alert_configs AS stored ON stored.id = said ->> 'id'
    CROSS JOIN LATERAL jsonb_populate_record(
        stored, CASE WHEN stored.id IS NULL THEN '{"is_default": true, "audible_alerts_enabled": true, "user_id": ""}'::jsonb || said ELSE said END
    ) AS n
    WHERE may_insert OR stored.id IS NOT NULL
    ON CONFLICT (id) DO UPDATE SET (
        user_id, indicator_type, percentage_range_min, percentage_range_max, color, is_default, enabled,
        display_order, audible_alerts_enabled, last_updated, client_created_at, entrant_id, race_id, alert_type,
        threshold, time_window_seconds, cooldown_seconds, permissions, updated_at
    ) = (
        excluded.user_id, excluded.indicator_type, excluded.percentage_range_min, excluded.percentage_range_max,
        excluded.color, excluded.is_default, excluded.enabled, excluded.display_order,
        excluded.audible_alerts_enabled, excluded.last_updated, excluded.client_created_at, excluded.entrant_id,
        excluded.race_id, excluded.alert_type, excluded.threshold, excluded.time_window_seconds,
        excluded.cooldown_seconds, excluded.permissions, excluded.updated_at
    );
END
$$;

CREATE FUNCTION upsert_user_alert_channels(rows jsonb, at timestamptz, may_insert boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO user_alert_channels AS kept (
        id, user_id, webhook_url, webhook_secret, push_enabled, enabled, permissions, created_at, updated_at
    )
    SELECT
        n.id, n.user_id, n.webhook_url, n.webhook_secret, n.push_enabled, n.enabled, n.permissions,
        coalesce(stored.created_at, at), at
    FROM jsonb_array_elements(rows) AS said
    LEFT JOIN user_alert_channels AS stored ON stored.id = said ->> 'id'
    CROSS JOIN LATERAL jsonb_populate_record(
        stored, CASE WHEN stored.id IS NULL THEN '{"push_enabled": false, "enabled": true, "user_id": ""}'::jsonb || said ELSE said END
    ) AS n
    WHERE may_insert OR stored.id IS NOT NULL
    ON CONFLICT (id) DO UPDATE SET (
        user_id, webhook_url, webhook_secret, push_enabled, enabled, permissions, updated_at
    ) = (
        excluded.user_id, excluded.webhook_url, excluded.webhook_secret, excluded.push_enabled, excluded.enabled,
        excluded.permissions, excluded.updated_at
    );
END
$$;

CREATE FUNCTION upsert_notifications(rows jsonb, at timestamptz, may_insert boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO notifications AS kept (
        id, user_id, title, message, type, "read", race_id, entrant_id, config_id, time_interval, crossed_at,
        value_before, value_after, change, color, delivery_state, delivery_attempts, next_delivery_at,
        delivery_message, webhook_state, push_state, permissions, created_at, updated_at
    )
    SELECT
        n.id, n.user_id, n.title, n.message, n.type, n."read", n.race_id, n.entrant_id, n.config_id, n.time_interval,
        n.crossed_at, n.value_before, n.value_after, n.change, n.color, n.delivery_state, n.delivery_attempts,
        n.next_delivery_at, n.delivery_message, n.webhook_state, n.push_state, n.permissions,
        coalesce(stored.created_at, at), at
    FROM jsonb_array_elements(rows) AS said
    LEFT JOIN notifications AS stored ON stored.id = said ->> 'id'
    CROSS JOIN LATERAL jsonb_populate_record(
        stored, CASE WHEN stored.id IS NULL THEN '{"read": false, "user_id": "", "title": "", "message": "", "type": ""}'::jsonb || said ELSE said END
    ) AS n
    WHERE may_insert OR stored.id IS NOT NULL
    ON CONFLICT (id) DO UPDATE SET (
        user_id, title, message, type, "read", race_id, entrant_id, config_id, time_interval, crossed_at,
        value_before, value_after, change, color, delivery_state, delivery_attempts, next_delivery_at,
        delivery_message, webhook_state, push_state, permissions, updated_at
    ) = (
        excluded.user_id, excluded.title, excluded.message, excluded.type, excluded."read", excluded.race_id,
        excluded.entrant_id, excluded.config_id, excluded.time_interval, excluded.crossed_at, excluded.value_before,
        excluded.value_after, excluded.change, excluded.color, excluded.delivery_state, excluded.delivery_attempts,
        excluded.next_delivery_at, excluded.delivery_message, excluded.webhook_state, excluded.push_state,
        excluded.permissions, excluded.updated_at
    );
END
$$;

CREATE FUNCTION upsert_alert_backlog(rows jsonb, at timestamptz, may_insert boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO alert_backlog AS kept (
        id, race_id, entrant_id, occurred_at, from_user_id, created_at, updated_at
    )
    SELECT
        n.id, n.race_id, n.entrant_id, n.occurred_at, n.from_user_id, coalesce(stored.created_at, at), at
    FROM jsonb_array_elements(rows) AS said
    LEFT JOIN alert_backlog AS stored ON stored.id = said ->> 'id'
    CROSS JOIN LATERAL jsonb_populate_record(
        stored, CASE WHEN stored.id IS NULL THEN '{"race_id": ""}'::jsonb || said ELSE said END
    ) AS n
    WHERE may_insert OR stored.id IS NOT NULL
    ON CONFLICT (id) DO UPDATE SET (
        race_id, entrant_id, occurred_at, from_user_id, updated_at
    ) = (
        excluded.race_id, excluded.entrant_id, excluded.occurred_at, excluded.from_user_id, excluded.updated_at
    );
END
$$;

CREATE FUNCTION upsert_race_closings(rows jsonb, at timestamptz, may_insert boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO race_closings AS kept (
        race_id, race_date_nz, status, closed_at, polls, failed_polls, degraded_polls, coverage_pct, quality_p_5,
        quality_p_50, lateness_p95_s, win_pool_total, place_pool_total, total_race_pool, runners, result_hash,
        created_at, updated_at
    )
    SELECT
        n.race_id, n.race_date_nz, n.status, n.closed_at, n.polls, n.failed_polls, n.degraded_polls, n.coverage_pct,
        n.quality_p_5, n.quality_p_50, n.lateness_p95_s, n.win_pool_total, n.place_pool_total, n.total_race_pool,
        n.runners, n.result_hash, coalesce(stored.created_at, at), at
    FROM jsonb_array_elements(rows) AS said
    LEFT JOIN race_closings AS stored ON stored.race_id = said ->> 'race_id'
    CROSS JOIN LATERAL jsonb_populate_record(
        stored, CASE WHEN stored.race_id IS NULL THEN said ELSE said END
    ) AS n
    WHERE may_insert OR stored.race_id IS NOT NULL
    ON CONFLICT (race_id) DO UPDATE SET (
        race_date_nz, status, closed_at, polls, failed_polls, degraded_polls, coverage_pct, quality_p_5,
        quality_p_50, lateness_p95_s, win_pool_total, place_pool_total, total_race_pool, runners, result_hash,
        updated_at
    ) = (
        excluded.race_date_nz, excluded.status, excluded.closed_at, excluded.polls, excluded.failed_polls,
        excluded.degraded_polls, excluded.coverage_pct, excluded.quality_p_5, excluded.quality_p_50,
        excluded.lateness_p95_s, excluded.win_pool_total, excluded.place_pool_total, excluded.total_race_pool,
        excluded.runners, excluded.result_hash, excluded.updated_at
    );
END
$$;

CREATE FUNCTION upsert_poll_logs(rows jsonb, at timestamptz, may_insert boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO poll_logs AS kept (
        id, race_id, occurred_at, "function", execution_id, error, message, latency_ms, payload, created_at,
        updated_at
    )
    SELECT
        n.id, n.race_id, n.occurred_at, n."function", n.execution_id, n.error, n.message, n.latency_ms, n.payload,
        coalesce(stored.created_at, at), at
    FROM jsonb_array_elements(rows) AS said
    LEFT JOIN poll_logs AS stored ON stored.id = said ->> 'id'
    CROSS JOIN LATERAL jsonb_populate_record(
        stored, CASE WHEN stored.id IS NULL THEN said ELSE said END
    ) AS n
    WHERE may_insert OR stored.id IS NOT NULL
    ON CONFLICT (id) DO UPDATE SET (
        race_id, occurred_at, "function", execution_id, error, message, latency_ms, payload, updated_at
    ) = (
        excluded.race_id, excluded.occurred_at, excluded."function", excluded.execution_id, excluded.error,
        excluded.message, excluded.latency_ms, excluded.payload, excluded.updated_at
    );
END
$$;

CREATE FUNCTION upsert_function_runs(rows jsonb, at timestamptz, may_insert boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO function_runs AS kept (
        id, execution_id, "function", "trigger", started_at, duration_ms, status_code, processed, failed, skipped,
        remaining, feed_calls, store_calls, peak_rss_mb, message, created_at, updated_at
    )
    SELECT
        n.id, n.execution_id, n."function", n."trigger", n.started_at, n.duration_ms, n.status_code, n.processed,
        n.failed, n.skipped, n.remaining, n.feed_calls, n.store_calls, n.peak_rss_mb, n.message,
        coalesce(stored.created_at, at), at
    FROM jsonb_array_elements(rows) AS said
    LEFT JOIN function_runs AS stored ON stored.id = said ->> 'id'
    CROSS JOIN LATERAL jsonb_populate_record(
        stored, CASE WHEN stored.id IS NULL THEN '{"execution_id": "", "function": ""}'::jsonb || said ELSE said END
    ) AS n
    WHERE may_insert OR stored.id IS NOT NULL
    ON CONFLICT (id) DO UPDATE SET (
        execution_id, "function", "trigger", started_at, duration_ms, status_code, processed, failed, skipped,
        remaining, feed_calls, store_calls, peak_rss_mb, message, updated_at
    ) = (
        excluded.execution_id, excluded."function", excluded."trigger", excluded.started_at, excluded.duration_ms,
        excluded.status_code, excluded.processed, excluded.failed, excluded.skipped, excluded.remaining,
        excluded.feed_calls, excluded.store_calls, excluded.peak_rss_mb, excluded.message, excluded.updated_at
    );
END
$$;

CREATE FUNCTION upsert_daily_stages(rows jsonb, at timestamptz, may_insert boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO daily_stages AS kept (
        id, racing_date, stage, complete, started_at, finished_at, done, processed, failed, remaining, created_at,
        updated_at
    )
    SELECT
        n.id, n.racing_date, n.stage, n.complete, n.started_at, n.finished_at, n.done, n.processed, n.failed,
        n.remaining, coalesce(stored.created_at, at), at
    FROM jsonb_array_elements(rows) AS said
    LEFT JOIN daily_stages AS stored ON stored.id = said ->> 'id'
    CROSS JOIN LATERAL jsonb_populate_record(
        stored, CASE WHEN stored.id IS NULL THEN '{"complete": false, "done": 0, "processed": 0, "failed": 0, "remaining": 0, "racing_date": "", "stage": ""}'::jsonb || said ELSE said END
    ) AS n
    WHERE may_insert OR stored.id IS NOT NULL
    ON CONFLICT (id) DO UPDATE SET (
        racing_date, stage, complete, started_at, finished_at, done, processed, failed, remaining, updated_at
    ) = (
        excluded.racing_date, excluded.stage, excluded.complete, excluded.started_at, excluded.finished_at,
        excluded.done, excluded.processed, excluded.failed, excluded.remaining, excluded.updated_at
    );
END
$$;

CREATE FUNCTION upsert_sweeps(rows jsonb, at timestamptz, may_insert boolean DEFAULT true) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO sweeps AS kept (
        name, swept_to, created_at, updated_at
    )
    SELECT
        n.name, n.swept_to, coalesce(stored.created_at, at), at
    FROM jsonb_array_elements(rows) AS said
    LEFT JOIN sweeps AS stored ON stored.name = said ->> 'name'
    CROSS JOIN LATERAL jsonb_populate_record(
        stored, CASE WHEN stored.name IS NULL THEN said ELSE said END
    ) AS n
    WHERE may_insert OR stored.name IS NOT NULL
    ON CONFLICT (name) DO UPDATE SET (
        swept_to, updated_at
    ) = (
        excluded.swept_to, excluded.updated_at
    );
END
$$;
