"""The real servers, one class each: start, readiness, stop, addresses, data in a folder."""
