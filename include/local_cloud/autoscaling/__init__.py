"""Application Auto Scaling as far as endpoints' variants go: targets and policies are kept, and nothing is scaled."""
