"""Where a finished report goes: its files, the page of all days, metrics, and local copies."""
