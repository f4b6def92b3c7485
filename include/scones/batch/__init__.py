"""Classifies every image below an S3 folder with AWS Batch: `run` is what the DAG calls, `shard` what a job does."""
