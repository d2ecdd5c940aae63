-- Who polls a race right now: one row for each race, so that nobody else does.
CREATE TABLE poll_claims (
    race_id text NOT NULL PRIMARY KEY REFERENCES races (race_id) ON DELETE CASCADE,
    owner text,
    token bigint DEFAULT 0,
    claimed_at timestamptz,
    expires_at timestamptz,
    last_poll_at timestamptz,
    not_before timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);

-- Polls that failed, or were kept although their quality is below the threshold, and why.
CREATE TABLE poll_logs (
    id text NOT NULL PRIMARY KEY,
    race_id text,
    occurred_at timestamptz NOT NULL,
    "function" text,
    execution_id text,
    error text,
    message text,
    latency_ms bigint,
    payload text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Every run of a function and what it did.
CREATE TABLE function_runs (
    id text NOT NULL PRIMARY KEY,
    execution_id text NOT NULL,
    "function" text NOT NULL,
    "trigger" text CHECK (trigger IN ('http', 'schedule', 'event')),
    started_at timestamptz NOT NULL,
    duration_ms bigint,
    status_code bigint,
    processed bigint,
    failed bigint,
    skipped bigint,
    remaining bigint,
    feed_calls bigint,
    store_calls bigint,
    peak_rss_mb double precision,
    message text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- How far the day's import has come: one row for each racing date and stage.
CREATE TABLE daily_stages (
    id text NOT NULL PRIMARY KEY,
    racing_date text NOT NULL,
    stage text NOT NULL CHECK (stage IN ('daily-meetings', 'daily-races', 'daily-entrants')),
    complete boolean DEFAULT false,
    started_at timestamptz NOT NULL,
    finished_at timestamptz,
    done bigint DEFAULT 0,
    processed bigint DEFAULT 0,
    failed bigint DEFAULT 0,
    remaining bigint DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- How far each function has looked for what lost events left out, and how far history was dropped.
CREATE TABLE sweeps (
    name text NOT NULL PRIMARY KEY,
    swept_to timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TRIGGER stamp_poll_claims BEFORE UPDATE ON poll_claims
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at AND current_setting('raceday.stamps', true) IS DISTINCT FROM 'own')
    EXECUTE FUNCTION stamp_update();

CREATE TRIGGER stamp_poll_logs BEFORE UPDATE ON poll_logs
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at AND current_setting('raceday.stamps', true) IS DISTINCT FROM 'own')
    EXECUTE FUNCTION stamp_update();

CREATE TRIGGER stamp_function_runs BEFORE UPDATE ON function_runs
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at AND current_setting('raceday.stamps', true) IS DISTINCT FROM 'own')
    EXECUTE FUNCTION stamp_update();

CREATE TRIGGER stamp_daily_stages BEFORE UPDATE ON daily_stages
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at AND current_setting('raceday.stamps', true) IS DISTINCT FROM 'own')
    EXECUTE FUNCTION stamp_update();

CREATE TRIGGER stamp_sweeps BEFORE UPDATE ON sweeps
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at AND current_setting('raceday.stamps', true) IS DISTINCT FROM 'own')
    EXECUTE FUNCTION stamp_update();

-- Which of several servers does what only one has to do: the daily import, sweeps, partitions.
CREATE TABLE server_leases (
    name text NOT NULL PRIMARY KEY,
    owner text NOT NULL,
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TRIGGER stamp_server_leases BEFORE UPDATE ON server_leases
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at AND current_setting('raceday.stamps', true) IS DISTINCT FROM 'own')
    EXECUTE FUNCTION stamp_update();
