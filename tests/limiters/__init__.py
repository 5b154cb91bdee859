"""Tests of the limits that several processes share."""
