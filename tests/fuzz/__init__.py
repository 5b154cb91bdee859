"""Fuzzing: what parses foreign bytes answers, or raises errors of ours, and no other.

Each target is a module with `seeds`, which begin its corpus, and `try_one`, which
returns for any bytes unless there is a defect. `python -m tests.fuzz png` fuzzes one
for ten minutes under atheris; `nox -s fuzz` all of them. `test_fuzz.py` runs a sample.
"""
