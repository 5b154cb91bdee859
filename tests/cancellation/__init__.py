"""Every call, cancelled at every step."""
