"""The mapping between the domain and the catalogue's rows, written once for every adapter."""
