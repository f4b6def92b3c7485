"""What the figures rest on."""

from __future__ import annotations

import uuid
from collections import Counter

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from include.scones.capture.analysis.deduplication import no_two_alike
from include.scones.capture.analysis.inputs import repeats_of
from include.scones.capture.schema import input_digest


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


@given(st.lists(st.sampled_from([b"a", b"b", b"c"]) | st.binary(max_size=3)), st.integers(0, 3))
def test_repeats_are_those_of_the_inputs(inputs: list[bytes], cut: int) -> None:
    digests = pa.array([input_digest(data) for data in inputs], pa.binary(16))
    column = pa.chunked_array([digests.slice(cut), digests.slice(0, cut)], pa.binary(16))
    assert sorted(repeats_of(column).tolist()) == sorted(Counter(inputs).values())
