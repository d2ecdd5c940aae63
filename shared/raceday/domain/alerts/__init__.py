"""Alerts: what users want to be told, what their runners crossed, and what they are told."""
