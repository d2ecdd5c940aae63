DROP FUNCTION save_poll(jsonb);
DROP FUNCTION put_buckets(jsonb, timestamptz, timestamptz, timestamptz, boolean);
DROP FUNCTION put_odds(jsonb, timestamptz);
DROP FUNCTION fixed_odds_of(text);
