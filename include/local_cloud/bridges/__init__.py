"""Where MiniStack's answers differ from AWS's in ways that this project can see: one small module a difference."""

from . import bucket_tags, lambda_failures, states_metrics


def install() -> None:
    """Apply every bridge; MiniStack's settings must be in place. Raises `BridgeError`."""
    bucket_tags.install()
    lambda_failures.install()
    states_metrics.install()
