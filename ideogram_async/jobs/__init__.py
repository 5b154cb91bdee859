"""Bulk jobs that survive: a journal, a budget, and images that are never lost."""

from ._folder import MANIFEST
from ._job import Job
from ._values import Counts, Plan, Problem, Progress, Report, State


__all__ = [
    "MANIFEST",
    "Counts",
    "Job",
    "Plan",
    "Problem",
    "Progress",
    "Report",
    "State",
]
