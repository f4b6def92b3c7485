"""What every part needs of AWS: clients, buckets, small objects, stacks, and what a missing resource looks like."""
