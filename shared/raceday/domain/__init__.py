"""What racing is. Pure: no input or output, no clock, no environment."""
