-- What a user wants to be told: the dashboard's percentage ranges, or one threshold on a runner or race.
CREATE TABLE user_alert_configs (
    id text NOT NULL PRIMARY KEY,
    user_id text NOT NULL,
    indicator_type text,
    percentage_range_min double precision,
    percentage_range_max double precision,
    color text,
    is_default boolean DEFAULT true,
    enabled boolean NOT NULL,
    display_order bigint,
    audible_alerts_enabled boolean DEFAULT true,
    last_updated timestamptz,
    client_created_at timestamptz,
    entrant_id text,
    race_id text,
    alert_type text,
    threshold double precision,
    time_window_seconds bigint,
    cooldown_seconds bigint,
    permissions text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Where else a user wants to be told, beside the dashboard: one row for each user.
CREATE TABLE user_alert_channels (
    id text NOT NULL PRIMARY KEY,
    user_id text NOT NULL,
    webhook_url text,
    webhook_secret text,
    push_enabled boolean DEFAULT false,
    enabled boolean DEFAULT true,
    permissions text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- What a user was told.
CREATE TABLE notifications (
    id text NOT NULL PRIMARY KEY,
    user_id text NOT NULL,
    title text NOT NULL,
    message text NOT NULL,
    type text NOT NULL CHECK (type IN (
        'odds_shortening', 'odds_drifting', 'odds_change', 'money_share_rise', 'scratching'
    )),
    "read" boolean DEFAULT false,
    race_id text,
    entrant_id text,
    config_id text,
    time_interval bigint,
    crossed_at timestamptz,
    value_before double precision,
    value_after double precision,
    change double precision,
    color text,
    delivery_state text CHECK (delivery_state IN ('pending', 'delivered', 'failed', 'none')),
    delivery_attempts bigint,
    next_delivery_at timestamptz,
    delivery_message text,
    webhook_state text CHECK (webhook_state IN ('delivered', 'failed')),
    push_state text CHECK (push_state IN ('delivered', 'failed')),
    permissions text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Races and runners whose alerts a run could not evaluate to the end; the next sweep goes on with them.
CREATE TABLE alert_backlog (
    id text NOT NULL PRIMARY KEY,
    race_id text NOT NULL,
    entrant_id text,
    occurred_at timestamptz NOT NULL,
    from_user_id text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TRIGGER stamp_user_alert_configs BEFORE UPDATE ON user_alert_configs
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at AND current_setting('raceday.stamps', true) IS DISTINCT FROM 'own')
    EXECUTE FUNCTION stamp_update();

CREATE TRIGGER stamp_user_alert_channels BEFORE UPDATE ON user_alert_channels
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at AND current_setting('raceday.stamps', true) IS DISTINCT FROM 'own')
    EXECUTE FUNCTION stamp_update();

CREATE TRIGGER stamp_notifications BEFORE UPDATE ON notifications
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at AND current_setting('raceday.stamps', true) IS DISTINCT FROM 'own')
    EXECUTE FUNCTION stamp_update();

CREATE TRIGGER stamp_alert_backlog BEFORE UPDATE ON alert_backlog
    FOR EACH ROW WHEN (NEW.updated_at = OLD.updated_at AND current_setting('raceday.stamps', true) IS DISTINCT FROM 'own')
    EXECUTE FUNCTION stamp_update();
