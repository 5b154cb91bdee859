"""Tests of bulk jobs on several machines, against a real PostgreSQL."""
