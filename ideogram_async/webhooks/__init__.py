"""Webhooks: is it the service that calls, is all of it as it was sent, is it news?

The service posts a JSON object when all images of an asynchronous generation are there,
and signs it with Ed25519: generation, account, moment and the SHA-256 of the body, as
it came. Its public keys change, so they are fetched from the service and kept for a
day; when none of them fits, they are fetched once more, but a flood of bad signatures
is no flood of fetches. The service may deliver twice: the second time is an error of
its own, so that nothing is done twice.

It needs cryptography: `pip install 'ideogram-async[webhooks]'`.

Source: https://developer.ideogram.ai/v1/webhooks
"""

from ._scheme import WebhookFault
from ._verifier import WebhookVerifier


__all__ = ["WebhookFault", "WebhookVerifier"]
