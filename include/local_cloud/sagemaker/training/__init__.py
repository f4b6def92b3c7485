"""Training jobs: their queue, their containers, and the states that they go through."""
