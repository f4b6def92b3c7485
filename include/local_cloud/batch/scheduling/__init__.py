"""Jobs on their way from submission to their end: dependencies, order, attempts and retries."""
