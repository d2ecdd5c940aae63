"""The REST API of the self-hosted server: read-only but for a user's alert ranges, one SQL statement an answer."""
