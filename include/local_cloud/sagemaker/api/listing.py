"""What all List operations share: filters, sorting, and pages whose tokens stay right when resources come and go."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import ValidationException

_DEFAULT_PAGE = 10
_NEITHER_FILTER_NOR_ORDER = {"NextToken", "MaxResults"}


@dataclass(frozen=True)
class Listing:
    """How one kind of resource is listed: where its documents keep what requests filter and sort by.

    `result` is the answer's list, `summary` the members that an item of it shows. With `status_after_page` a page is
    cut first and filtered by status then, as SageMaker documents it for training jobs.
    """

    result: str
    summary: Sequence[str]
    name: str
    status: str = ""
    status_after_page: bool = False

    def answer(self, documents: list[dict[str, Any]], request: Mapping[str, Any]) -> dict[str, Any]:
        """Raises `ValidationException` for a token that this listing did not give out."""
        chosen = [document for document in documents if self._matches(document, request)]
        if not self.status_after_page:
            chosen = self._with_status(chosen, request)
        descending = request.get("SortOrder", "Descending") == "Descending"
        chosen.sort(key=lambda document: self._position(document, request), reverse=descending)
        page, token = self._page(chosen, request, descending)
        if self.status_after_page:
            page = self._with_status(page, request)
        items = [{key: document[key] for key in self.summary if key in document} for document in page]
        return {self.result: items, "NextToken": token}

    def _matches(self, document: Mapping[str, Any], request: Mapping[str, Any]) -> bool:
        if request.get("NameContains", "").lower() not in document[self.name].lower():
            return False
        for member in ("CreationTime", "LastModifiedTime"):
            after, before = request.get(f"{member}After"), request.get(f"{member}Before")
            if (after is not None and document[member] <= after) or (before is not None and document[member] >= before):
                return False
        return True

    def _with_status(self, documents: list[dict[str, Any]], request: Mapping[str, Any]) -> list[dict[str, Any]]:
        wanted = request.get("StatusEquals")
        return [document for document in documents if wanted is None or document[self.status] == wanted]

    def _position(self, document: Mapping[str, Any], request: Mapping[str, Any]) -> tuple[Any, str]:
        member = {"Name": self.name, "Status": self.status}.get(request.get("SortBy", ""), "CreationTime")
        return document[member], document[self.name]

    def _page(
        self, documents: list[dict[str, Any]], request: Mapping[str, Any], descending: bool
    ) -> tuple[list[dict[str, Any]], str | None]:
        asked = {key: value for key, value in request.items() if key not in _NEITHER_FILTER_NOR_ORDER}
        if "NextToken" in request:
            last = _decode(request["NextToken"], asked)
            documents = [
                document
                for document in documents
                if (
                    self._position(document, request) < last if descending else self._position(document, request) > last
                )
            ]
        size = request.get("MaxResults", _DEFAULT_PAGE)
        page = documents[:size]
        more = len(documents) > size
        return page, _encode(self._position(page[-1], request), asked) if more else None


def _encode(position: tuple[Any, str], asked: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps([position, asked]).encode()).decode()


def _decode(token: str, asked: Mapping[str, Any]) -> tuple[Any, str]:
    try:
        (value, name), then = json.loads(base64.urlsafe_b64decode(token))
    except (ValueError, TypeError, binascii.Error) as error:
        raise ValidationException("Invalid NextToken: use the one of the previous answer unchanged") from error
    if then != asked:
        raise ValidationException("Invalid NextToken: the filters and the order must be those of the previous request")
    return value, name
