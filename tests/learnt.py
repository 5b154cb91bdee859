"""A learnt limit in the hands of a caller that counts its places."""

from __future__ import annotations

from ideogram_async._learning import LearntLimit, Lease, Verdict


class Gate:
    """A learnt limit with the count of places that its caller keeps."""

    def __init__(self, limit: int = 10) -> None:
        self.learnt = LearntLimit(limit)
        self.in_use = 0

    def take(self, places: int = 1, *, at: float = 0.0) -> Lease:
        self.in_use += places
        return self.learnt.take(places, self.in_use, at)

    def end(
        self,
        lease: Lease,
        verdict: Verdict,
        *,
        at: float,
        is_wanted: bool = True,
        named: int | None = None,
    ) -> int:
        """Learn *verdict* and return the limit."""
        self.in_use -= lease.places
        self.learnt.learn(
            lease, verdict, at, in_use=self.in_use, is_wanted=is_wanted, named=named
        )
        return self.learnt.limit

    def serve(
        self, answers: int = 1, *, at: float = 0.0, is_wanted: bool = True
    ) -> int:
        """Let so many requests for one place be served, and return the limit."""
        for _ in range(answers):
            lease = self.take(at=at)
            self.end(lease, Verdict.SERVED, at=at, is_wanted=is_wanted)
        return self.learnt.limit


def full(limit: int = 10) -> tuple[Gate, list[Lease]]:
    """Return a gate with all its places taken at 0 s."""
    gate = Gate(limit)
    return gate, [gate.take() for _ in range(limit)]
