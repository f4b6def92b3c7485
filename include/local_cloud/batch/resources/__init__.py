"""What the store says about compute environments, job queues, job definitions and jobs."""
