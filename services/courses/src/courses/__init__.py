"""The catalogue, who follows what, and the seats."""
