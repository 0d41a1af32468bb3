"""The native stack: real servers and every process, without Docker."""
