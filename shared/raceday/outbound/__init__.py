"""Requests to addresses that others chose: silk pictures and alert webhooks, under rules that keep them harmless."""
