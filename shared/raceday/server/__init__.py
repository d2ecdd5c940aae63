"""RaceDay as a server of its own: PostgreSQL, a scheduler and a REST API in one process. Never vendored."""
