"""Async Python SDK for the Ideogram image API.

```python
async with IdeogramClient() as client:
    batch = await client.generate_many(["a cat", "a dog"], aspect_ratio="16x9")
    for image in batch.images:
        await client.download(image, f"{image.seed}.png")
```
"""

from ._bulk import Outcomes
from ._retry import RetryPolicy
from ._version import __version__
from .batch import Batch, Failure, Success
from .client import IdeogramClient
from .errors import (
    AuthenticationError,
    BadRequestError,
    BudgetExceededError,
    ConfigurationError,
    ConnectionFailedError,
    DecodeError,
    DownloadError,
    GenerationFailedError,
    IdeogramError,
    InsufficientFundsError,
    NotFoundError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitError,
    RequestTimeoutError,
    SafetyError,
    ServerError,
    StatusError,
    TransportError,
    UnsupportedRequestError,
    WebhookVerificationError,
)
from .limiter import Limiter
from .requests import ColorPalette, ColorPaletteMember, GenerateV3, RemixV3, Request
from .responses import ImageObject, ImageResponse
from .uploads import Upload


__all__ = [
    "AuthenticationError",
    "BadRequestError",
    "Batch",
    "BudgetExceededError",
    "ColorPalette",
    "ColorPaletteMember",
    "ConfigurationError",
    "ConnectionFailedError",
    "DecodeError",
    "DownloadError",
    "Failure",
    "GenerateV3",
    "GenerationFailedError",
    "IdeogramClient",
    "IdeogramError",
    "ImageObject",
    "ImageResponse",
    "InsufficientFundsError",
    "Limiter",
    "NotFoundError",
    "NotSentError",
    "OutcomeUnknownError",
    "Outcomes",
    "RateLimitError",
    "RemixV3",
    "Request",
    "RequestTimeoutError",
    "RetryPolicy",
    "SafetyError",
    "ServerError",
    "StatusError",
    "Success",
    "TransportError",
    "UnsupportedRequestError",
    "Upload",
    "WebhookVerificationError",
    "__version__",
]
