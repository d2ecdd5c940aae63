"""The endpoints, one module for each resource: read what was asked, run one query, pass its text on."""
