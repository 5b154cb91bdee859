"""The fixtures for users' own tests."""

from __future__ import annotations

import pytest


pytest_plugins = ["pytester"]


def test_the_fixture(pytester: pytest.Pytester) -> None:
    """A user's test gets a running sandbox and can read its ledger."""
    pytester.makeconftest('pytest_plugins = ["ideogram_async.testing"]')
    pytester.makepyfile(
        """
        import asyncio
        from ideogram_async import IdeogramClient

        def test_it(ideogram_sandbox):
            async def make():
                url = ideogram_sandbox.url
                async with IdeogramClient("any", base_url=url) as client:
                    await client.generate("a cat", num_images=3)

            asyncio.run(make())

            assert ideogram_sandbox.ledger.images == 3
        """
    )
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")

    result.assert_outcomes(passed=1)
