"""Deletes what the project made, in an order that works, and nothing else: see `plan`."""
