"""The commands: thin over what they call, with progress for people and one JSON line for machines."""
