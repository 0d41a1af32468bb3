"""Seat allocation, side by side: ways to give the last seats of a course, on one PostgreSQL."""
