"""What the server costs: polls by stage, writes, and every endpoint of the API over a realistic day."""
