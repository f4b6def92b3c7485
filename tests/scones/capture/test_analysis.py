"""What the figures rest on."""

from __future__ import annotations

import uuid

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from include.scones.capture.analysis import no_two_alike


@given(st.lists(st.sampled_from(["a", "b", "ab", "", None]) | st.text(max_size=20)))
def test_nothing_is_taken_for_distinct_that_is_not(texts: list[str | None]) -> None:
    known = [text for text in texts if text is not None]
    assert len(set(known)) == len(known) or not no_two_alike(pa.array(texts, pa.string()))


def test_event_ids_are_seen_to_be_distinct() -> None:
    """Without it the report is right but slow."""
    ids = pa.array([str(uuid.uuid4()) for _ in range(1000)])
    assert no_two_alike(ids)
    assert no_two_alike(ids[100:])
    assert not no_two_alike(pa.concat_arrays([ids, ids[990:]]))
