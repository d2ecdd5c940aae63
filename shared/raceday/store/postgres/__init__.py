"""RaceDay on PostgreSQL: the store of the self-hosted server (`store`). Never vendored into a function."""
