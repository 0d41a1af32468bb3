"""E-mails and their delivery log."""
