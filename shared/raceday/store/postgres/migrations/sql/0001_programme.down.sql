DROP TABLE race_closings;
DROP TABLE jockey_silks;
DROP TABLE race_pools;
DROP TABLE race_results;
DROP TABLE entrants;
DROP TABLE races;
DROP TABLE meetings;
DROP FUNCTION stamp_update();
