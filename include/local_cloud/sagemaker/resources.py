"""What models, endpoint configurations and endpoints share: documents by name, an ARN, and tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..context import Context
from ..errors import AlreadyExists, ValidationException
from . import tags
from .operations import arn_of


@dataclass(frozen=True)
class Resource:
    """One kind: `kind` is its name in the store and in ARNs, `called` in messages, `prefix` in its members' names."""

    kind: str
    called: str
    prefix: str

    def arn(self, context: Context, name: str) -> str:
        return arn_of(context, f"{self.kind}/{name}")

    def create(self, context: Context, document: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
        """Store the document, attach the request's tags, and answer with the ARN. Raises `ValidationException`."""
        name = request[f"{self.prefix}Name"]
        arn = self.arn(context, name)
        try:
            context.store.create(self.kind, name, {**document, f"{self.prefix}Arn": arn})
        except AlreadyExists as error:
            raise ValidationException(f'Cannot create already existing {self.called} "{arn}".') from error
        tags.attach(context, arn, request.get("Tags", []))
        return {f"{self.prefix}Arn": arn}

    def find(self, context: Context, name: str) -> dict[str, Any]:
        """Raises `ValidationException`."""
        document = context.store.find(self.kind, name)
        if document is None:
            raise ValidationException(f'Could not find {self.called} "{self.arn(context, name)}".')
        return document

    def update(self, context: Context, name: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Replace top-level members (None removes one) and return the whole document."""
        return context.store.update(self.kind, name, changes)

    def all(self, context: Context) -> list[dict[str, Any]]:
        """By name."""
        return context.store.list(self.kind)

    def delete(self, context: Context, name: str) -> None:
        """Drop the document, which must be there, and its tags. Raises `ValidationException`."""
        self.find(context, name)
        context.store.delete(self.kind, name)
        tags.forget(context, self.arn(context, name))
