CREATE INDEX idx_meetings_date ON meetings (date, race_type) WHERE status = 'active';
CREATE INDEX idx_races_meeting ON races (meeting_id, race_number);
CREATE INDEX idx_races_start ON races (start_time);
CREATE INDEX idx_races_open_start ON races (start_time) WHERE status IN ('Open', 'Closed', 'Interim');
CREATE INDEX idx_entrants_race ON entrants (race_id, runner_number);
CREATE INDEX idx_entrants_live ON entrants (race_id, is_scratched) WHERE is_scratched = false;
CREATE INDEX idx_jockey_silks_jockey ON jockey_silks (jockey_name);
CREATE INDEX idx_race_closings_date ON race_closings (race_date_nz);

CREATE INDEX idx_odds_history_entrant ON odds_history (entrant_id, event_timestamp DESC);
CREATE INDEX idx_money_flow_history_entrant ON money_flow_history (entrant_id, event_timestamp DESC);
CREATE INDEX idx_money_flow_history_race ON money_flow_history (race_id, time_interval);
CREATE INDEX idx_race_polls_race ON race_polls (race_id, polled_at);
CREATE INDEX idx_race_polls_polled ON race_polls (polled_at);
CREATE INDEX idx_race_polls_degraded ON race_polls (polled_at) WHERE degraded;

CREATE INDEX idx_user_alert_configs_user ON user_alert_configs (user_id, id);
CREATE INDEX idx_user_alert_configs_entrant ON user_alert_configs (entrant_id, user_id COLLATE "C", id COLLATE "C");
CREATE INDEX idx_user_alert_configs_race ON user_alert_configs (race_id, entrant_id, user_id COLLATE "C", id COLLATE "C");
CREATE INDEX idx_user_alert_channels_user ON user_alert_channels (user_id);
CREATE INDEX idx_notifications_user ON notifications (user_id, crossed_at DESC NULLS LAST);
CREATE INDEX idx_notifications_runner ON notifications (race_id, entrant_id);
CREATE INDEX idx_notifications_crossed ON notifications (crossed_at);
CREATE INDEX idx_notifications_delivery ON notifications (next_delivery_at) WHERE delivery_state = 'pending';
CREATE INDEX idx_alert_backlog_occurred ON alert_backlog (occurred_at);

CREATE INDEX idx_poll_logs_race ON poll_logs (race_id, occurred_at);
CREATE INDEX idx_poll_logs_occurred ON poll_logs (occurred_at);
CREATE INDEX idx_function_runs_function ON function_runs (function, started_at);
CREATE INDEX idx_function_runs_started ON function_runs (started_at);
