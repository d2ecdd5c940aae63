"""The use cases, one module each. A job takes its ports as arguments and returns a `RunReport`."""
