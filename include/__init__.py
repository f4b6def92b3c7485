"""What the DAGs call, and the local cloud they can run on."""
