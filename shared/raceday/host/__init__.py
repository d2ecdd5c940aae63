"""Runs the functions of appwrite.json on one machine as the platform would: crons, executions, row events."""
