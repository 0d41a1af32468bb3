"""What every service agrees on: the contracts, and how a message travels safely."""
