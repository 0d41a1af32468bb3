"""What an upload costs beside a bare PUT, and what a file costs to verify."""
