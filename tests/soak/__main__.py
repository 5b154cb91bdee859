"""`python -m tests.soak`."""

from .run import main


raise SystemExit(main())
