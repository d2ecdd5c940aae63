"""Silks: what a jockey wears, read from the feed's text and drawn as an icon."""
