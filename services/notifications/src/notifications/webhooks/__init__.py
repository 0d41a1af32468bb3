"""Webhooks: events sent over HTTPS to the systems that cannot read a queue (S91)."""
