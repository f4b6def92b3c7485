"""Holds what comes in and goes out against botocore's models of the services, and writes down who called what."""
