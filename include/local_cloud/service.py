"""What every service of the cloud has in common: a life in three steps, in this order."""

from __future__ import annotations

from .context import Context


class Service:
    """One service in all regions; `Services` owns the one instance. A step that it does not need does nothing."""

    def restore(self, context: Context) -> None:
        """Take up what an earlier process left in one region; no request is answered yet."""

    def start(self) -> None:
        """Begin the work; what needs the cloud's own S3 or Logs goes on in the background."""

    async def stop(self) -> None:
        """End the work, while requests are still answered."""
