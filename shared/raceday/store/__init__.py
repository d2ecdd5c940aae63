"""Where races are kept: the port that speaks racing, the one table catalogue, and the adapters."""
