"""What became of many requests."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime

import pytest

from ideogram_async import (
    Batch,
    Failure,
    GenerateV3,
    ImageObject,
    ImageResponse,
    RateLimitError,
    SafetyError,
    Success,
)


REQUEST = GenerateV3("a cat")
SHOWN = ImageObject(url="https://images.example/1.png", seed=1)
WITHHELD = ImageObject(url="", is_image_safe=False, seed=2)
LAST = ImageObject(url="https://images.example/3.png", seed=3)


def answer(*images: ImageObject) -> ImageResponse:
    """Return an answer with *images*."""
    return ImageResponse(created=datetime(2026, 1, 1, tzinfo=UTC), data=images)


FIRST = Success(0, REQUEST, answer(SHOWN, WITHHELD), attempts=3)
REFUSED = Failure(1, REQUEST, SafetyError("no"), attempts=1)
UNMADE = Failure(2, None, ValueError("bad"))
OTHER = Success(3, REQUEST, answer(LAST))


@pytest.fixture
def batch() -> Batch[ImageResponse]:
    """Return a batch whose outcomes came out of order."""
    return Batch([OTHER, REFUSED, FIRST, UNMADE])


def test_batch_is_a_sequence_in_input_order(batch: Batch[ImageResponse]) -> None:
    """Outcomes stand in the order of their requests, however they came."""
    assert list(batch) == [FIRST, REFUSED, UNMADE, OTHER]
    assert len(batch) == 4
    assert batch[-1] is OTHER
    assert REFUSED in batch


def test_slice_is_a_batch(batch: Batch[ImageResponse]) -> None:
    """A part of a batch offers all that a batch does."""
    part = batch[:2]

    assert isinstance(part, Batch)
    assert part.images == [SHOWN]
    assert part.failures == [REFUSED]


def test_repr_shows_the_counts(batch: Batch[ImageResponse]) -> None:
    """The repr of a large batch is short."""
    assert repr(batch) == "<Batch of 4, 2 failed>"


def test_successes_and_failures_are_apart(batch: Batch[ImageResponse]) -> None:
    """Every outcome is in one of the two lists."""
    assert batch.successes == [FIRST, OTHER]
    assert batch.failures == [REFUSED, UNMADE]


def test_images_are_those_that_can_be_downloaded(batch: Batch[ImageResponse]) -> None:
    """Withheld images are left out; the order is that of the requests."""
    assert batch.images == [SHOWN, LAST]


def test_answers_without_images_have_none() -> None:
    """A batch of other requests has no images."""
    assert Batch([Success(0, REQUEST, "text")]).images == []  # type: ignore[arg-type]


def test_failures_are_raised_as_a_group(batch: Batch[ImageResponse]) -> None:
    """All errors come in one group, in input order."""
    with pytest.raises(ExceptionGroup, match="2 of 4 requests failed") as caught:
        batch.raise_for_failures()

    assert caught.value.exceptions == (REFUSED.error, UNMADE.error)


def test_nothing_is_raised_without_failures() -> None:
    """A batch without failures raises nothing."""
    Batch([FIRST]).raise_for_failures()


def test_outcomes_can_be_pickled() -> None:
    """Outcomes cross to another process."""
    failure = Failure(1, REQUEST, RateLimitError("busy", retry_after=1.0))

    first, second = pickle.loads(pickle.dumps([FIRST, failure]))

    assert first == FIRST
    assert (second.request, second.error.retry_after) == (REQUEST, 1.0)
