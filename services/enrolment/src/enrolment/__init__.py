"""Campaigns and applications: the six-step workflow, decisions and receipt numbers."""
