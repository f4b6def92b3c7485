"""AWS Batch: queues and compute environments as CloudFormation makes them, and jobs that run as processes."""
