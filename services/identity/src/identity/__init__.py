"""Sites, accounts, sessions, families, guardians and students."""
