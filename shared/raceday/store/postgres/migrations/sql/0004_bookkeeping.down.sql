DROP TABLE server_leases;
DROP TABLE sweeps;
DROP TABLE daily_stages;
DROP TABLE function_runs;
DROP TABLE poll_logs;
DROP TABLE poll_claims;
