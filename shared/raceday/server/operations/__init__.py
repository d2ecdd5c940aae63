"""What an operator does beside running the server: partitions, archive, backup, restore."""
