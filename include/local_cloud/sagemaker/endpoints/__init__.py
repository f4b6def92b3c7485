"""Real-time endpoints: deployments, the containers that serve, what is captured and what is counted."""
