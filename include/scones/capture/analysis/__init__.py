"""From records to the figures of a day: `summary.json`."""
