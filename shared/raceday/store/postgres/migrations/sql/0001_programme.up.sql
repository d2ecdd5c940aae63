-- Sets the time of an update for every writer that does not set it itself; RaceDay's own writers do, by their clock.
CREATE FUNCTION stamp_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;

-- A race meeting: one course, one racing day, one code of racing.
CREATE TABLE meetings (
    meeting_id text NOT NULL PRIMARY KEY,
    meeting_name text NOT NULL,
    country text NOT NULL,
    state text,
    race_type text NOT NULL,
    category text CHECK (category IN ('T', 'H', 'G')),
    category_name text,
    date timestamptz,
    track_condition text,
    status text NOT NULL CHECK (status IN ('active', 'completed', 'cancelled')),
    track_direction text,
    track_surface text,
    rail_position text,
    weather text,
    last_updated timestamptz,
    api_generated_time timestamptz,
    data_source text,
    tote_status text,
    tote_meeting_number bigint,
    video_channels text,
    quaddie text,
    early_quaddie text,
    tote_running_doubles text,
    tote_trebles text,
    races_imported_at timestamptz,
    races_attempts bigint DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 90);

-- A race: its programme and its live state.
CREATE TABLE races (
    race_id text NOT NULL PRIMARY KEY,
    name text NOT NULL,
    race_number bigint NOT NULL,
    start_time timestamptz NOT NULL,
    actual_start timestamptz,
    tote_start_time text,
    start_time_nz text,
    race_date_nz text,
    distance bigint,
    track_condition text,
    track_surface text,
    weather text,
    status text NOT NULL CHECK (status IN ('Open', 'Closed', 'Interim', 'Final', 'Abandoned')),
    type text,
    total_prize_money bigint,
    entrant_count bigint,
    field_size bigint,
    positions_paid bigint,
    last_updated timestamptz,
    imported_at timestamptz,
    last_poll_time timestamptz,
    last_status_change timestamptz,
    finalized_at timestamptz,
    abandoned_at timestamptz,
    abandoned_by text CHECK (abandoned_by IN ('list', 'event')),
    silk_url text,
    silk_base_url text,
    video_channels text,
    meeting_id text REFERENCES meetings (meeting_id) ON DELETE CASCADE,
    track_direction text,
    rail_position text,
    start_type text,
    race_group text,
    race_class text,
    comment text,
    protest_lodged boolean,
    protest_reason text,
    entrants_imported_at timestamptz,
    entrants_attempts bigint DEFAULT 0,
    api_generated_time timestamptz,
    content_hash text,
    moved_runners text,
    -- Between these instants lies all that the history has of the race, so that a query touches its days alone.
    odds_from timestamptz,
    flow_from timestamptz,
    history_to timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);

-- A runner in a race, with its present prices and money; a scratched one keeps what it had last.
CREATE TABLE entrants (
    entrant_id text NOT NULL PRIMARY KEY,
    name text NOT NULL,
    runner_number bigint NOT NULL,
    barrier bigint,
    race_id text REFERENCES races (race_id) ON DELETE CASCADE,
    is_scratched boolean DEFAULT false,
    is_late_scratched boolean DEFAULT false,
    favourite boolean DEFAULT false,
    mover boolean DEFAULT false,
    scratch_time bigint,
    runner_change text,
    fixed_win_odds double precision,
    fixed_place_odds double precision,
    pool_win_odds double precision,
    pool_place_odds double precision,
    jockey text,
    trainer_name text,
    silk_colours text,
    silk_url_64 text,
    silk_url_128 text,
    last_updated timestamptz,
    imported_at timestamptz,
    barrier_position text,
    trainer_location text,
    hold_percentage double precision,
    bet_percentage double precision,
    implied_percentage double precision,
    win_pool_amount bigint,
    place_pool_amount bigint,
    alert_odds double precision,
    win_deduction double precision,
    place_deduction double precision,
    is_emergency boolean,
    emergency_position text,
    weight_total text,
    weight_allocated text,
    age bigint,
    sex text,
    colour text,
    gear text,
    last_twenty_starts text,
    apprentice_indicator text,
    opening_fixed_win_odds double precision,
    opening_at timestamptz,
    content_hash text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);

-- How a race ended: placings and dividends, as far as they are known.
CREATE TABLE race_results (
    race_id text NOT NULL PRIMARY KEY REFERENCES races (race_id) ON DELETE CASCADE,
    results_available boolean DEFAULT false,
    result_status text CHECK (result_status IN ('interim', 'protest', 'final')),
    result_time timestamptz,
    results_data text,
    fixed_odds_data text,
    dividends_data text,
    photo_finish boolean DEFAULT false,
    stewards_inquiry boolean DEFAULT false,
    protest_lodged boolean DEFAULT false,
    protest_reason text,
    substitutes text,
    placing_count bigint,
    dividend_count bigint,
    content_hash text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 80);

-- What is in the pools of a race. There is one row for each race from its import on.
CREATE TABLE race_pools (
    race_id text NOT NULL PRIMARY KEY REFERENCES races (race_id) ON DELETE CASCADE,
    win_pool_total bigint DEFAULT 0,
    place_pool_total bigint DEFAULT 0,
    quinella_pool_total bigint DEFAULT 0,
    trifecta_pool_total bigint DEFAULT 0,
    exacta_pool_total bigint DEFAULT 0,
    first4_pool_total bigint DEFAULT 0,
    total_race_pool bigint DEFAULT 0,
    currency text DEFAULT '$',
    last_updated timestamptz,
    multi_leg_pool_total bigint DEFAULT 0,
    multi_leg_pools text,
    unknown_pools text,
    has_data boolean DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);

-- The colours that a jockey wears, one row for each silk text however it is written; see docs/silks.md.
CREATE TABLE jockey_silks (
    silk_id text NOT NULL PRIMARY KEY,
    description text,
    primary_color text,
    secondary_color text,
    pattern text,
    icon_url text,
    jockey_name text,
    svg_data text,
    last_updated timestamptz,
    body text,
    sleeves text,
    cap text,
    resolved boolean,
    unresolved_words text,
    colour_check text CHECK (colour_check IN ('agrees', 'differs', 'unavailable', 'none')),
    colour_check_reason text,
    image_url text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- How a race stood when it closed and how well it was followed; kept for good when its history is dropped.
CREATE TABLE race_closings (
    race_id text NOT NULL PRIMARY KEY REFERENCES races (race_id) ON DELETE CASCADE,
    race_date_nz text,
    status text CHECK (status IN ('Open', 'Closed', 'Interim', 'Final', 'Abandoned')),
    closed_at timestamptz,
    polls bigint,
    failed_polls bigint,
    degraded_polls bigint,
    coverage_pct double precision,
    quality_p_5 bigint,
    quality_p_50 bigint,
    lateness_p95_s double precision,
    win_pool_total bigint,
    place_pool_total bigint,
    total_race_pool bigint,
    runners text,
    result_hash text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TRIGGER stamp_meetings BEFORE UPDATE ON meetings
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at AND current_setting('raceday.stamps', true) IS DISTINCT FROM 'own')
    EXECUTE FUNCTION stamp_update();

CREATE TRIGGER stamp_races BEFORE UPDATE ON races
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at AND current_setting('raceday.stamps', true) IS DISTINCT FROM 'own')
    EXECUTE FUNCTION stamp_update();

CREATE TRIGGER stamp_entrants BEFORE UPDATE ON entrants
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at AND current_setting('raceday.stamps', true) IS DISTINCT FROM 'own')
    EXECUTE FUNCTION stamp_update();

CREATE TRIGGER stamp_race_results BEFORE UPDATE ON race_results
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at AND current_setting('raceday.stamps', true) IS DISTINCT FROM 'own')
    EXECUTE FUNCTION stamp_update();

CREATE TRIGGER stamp_race_pools BEFORE UPDATE ON race_pools
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at AND current_setting('raceday.stamps', true) IS DISTINCT FROM 'own')
    EXECUTE FUNCTION stamp_update();

CREATE TRIGGER stamp_jockey_silks BEFORE UPDATE ON jockey_silks
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at AND current_setting('raceday.stamps', true) IS DISTINCT FROM 'own')
    EXECUTE FUNCTION stamp_update();

CREATE TRIGGER stamp_race_closings BEFORE UPDATE ON race_closings
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at AND current_setting('raceday.stamps', true) IS DISTINCT FROM 'own')
    EXECUTE FUNCTION stamp_update();
