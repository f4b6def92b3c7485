"""The threshold tuner's web application and page."""
