"""The shapes of the answers. Nothing is missing from an answer: what is not known is null."""
