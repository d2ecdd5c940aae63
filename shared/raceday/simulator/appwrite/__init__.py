"""A stand-in Appwrite: the platform's REST API over state in memory, strict and wrong where the platform is.

It stands for Appwrite 1.9.6 on MariaDB, as seen on a running server in November 2026. Start reading at `app` (every
route), then `project` (all state), `row_writes` and `row_upserts` (what a write does), `commit` (transactions),
`row_events` (who hears of a write) and `faults` (what a test can make go wrong).
"""
