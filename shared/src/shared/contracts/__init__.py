"""What each service publishes: one module per owner."""
