"""`python -m tests.cancellation`."""

from .sweep import main


raise SystemExit(main())
