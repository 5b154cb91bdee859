"""A local server that imitates the service, for tests, demonstrations and first steps.

It needs Pillow: `pip install 'ideogram-async[sandbox]'`.
"""

from .app import Sandbox
from .faults import Fault
from .service import Charge, Ledger, Service
from .webhooks import WebhookDelivery, WebhookPlan, Webhooks, WebhookTrick


__all__ = [
    "Charge",
    "Fault",
    "Ledger",
    "Sandbox",
    "Service",
    "WebhookDelivery",
    "WebhookPlan",
    "WebhookTrick",
    "Webhooks",
]
