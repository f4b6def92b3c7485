"""MiniStack inside this process: how it is set up, what is saved of it, and where it is made to do as AWS does."""
