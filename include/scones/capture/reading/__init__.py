"""From capture files to columns of records, with every problem counted."""
