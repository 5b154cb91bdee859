"""What an import loads, in fresh processes: what is not needed yet is not there."""

from __future__ import annotations

import json
import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest

import ideogram_async
from ideogram_async import GenerateV3, providers, requests, responses
from ideogram_async.providers import PROVIDERS, _base


PACKAGES = (ideogram_async, providers, requests, responses)

SENT = (
    "from ideogram_async import IdeogramClient, GenerateV3\n"
    "client = IdeogramClient('a key')\n"
    "provider = client._failover.channels[0].provider\n"
    "next(provider.exchange(GenerateV3('a cat')))"
)
HELP = (
    "import contextlib, io\n"
    "from ideogram_async.cli import main\n"
    "with contextlib.redirect_stdout(io.StringIO()):\n"
    "    with contextlib.suppress(SystemExit):\n"
    "        main(['--help'])"
)


def loaded(code: str, before: str = "pass") -> set[str]:
    """Return the modules that *code* loads beside those of *before*."""
    program = (
        f"import json, sys\n{before}\nbefore = set(sys.modules)\n{code}\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout))


def ours(names: set[str]) -> set[str]:
    """Return the modules of this package, without its name."""
    package = "ideogram_async."
    return {name.removeprefix(package) for name in names if name.startswith(package)}


def test_import_loads_nothing() -> None:
    """The package alone is a table of its names."""
    assert ours(loaded("import ideogram_async")) == {"_lazy", "_version"}


def test_client_loads_what_it_is_made_of() -> None:
    """No provider, no request or answer but their bases, and no feature apart."""
    found = ours(loaded("from ideogram_async import IdeogramClient"))
    packages = {name.partition(".")[0] for name in found if "." in name}
    public = {name for name in found if not name.startswith("_") and "." not in name}

    assert packages <= {"requests", "responses"}
    assert {name for name in found if name.startswith("requests.")} == {
        "requests._base",
        "requests._docs",
        "requests._registry",
    }
    assert not {name for name in found if name.startswith("responses.")}
    assert public <= {
        *("batch", "client", "costs", "errors", "hooks", "limiter"),
        *("providers", "requests", "responses", "uploads"),
    }


def test_client_loads_nothing_foreign_but_dependencies() -> None:
    """Beside aiohttp, anyio and attrs it takes decimal numbers and secrets, no more."""
    code = "from ideogram_async import IdeogramClient"
    found = loaded(code, "import aiohttp, anyio, attrs")
    foreign = {name for name in found if name.partition(".")[0] != "ideogram_async"}

    assert foreign <= {
        *("_decimal", "_pydecimal", "contextvars", "decimal", "numbers"),
        *("hmac", "secrets"),
    }


def test_first_request_loads_its_own_family() -> None:
    """A request loads the classes of its module, and one provider."""
    found = loaded(SENT)
    families = {n for n in ours(found) if n.startswith(("requests.", "responses."))}
    public = {name for name in families if "._" not in name}

    assert public == {"requests.generate", "responses.images"}
    assert "providers.ideogram" in ours(found)
    assert not ours(found) & {
        *("providers.aihubmix", "providers.kkiai", "providers.openai_hk"),
        *("providers.pixazo", "jobs", "cli", "sandbox", "inputs", "masks"),
    }
    assert not found & {"tenacity", "sqlite3", "PIL", "difflib"}


def test_help_loads_no_command() -> None:
    """The help of the command line needs neither jobs nor what draws and counts."""
    found = loaded(HELP)

    assert not ours(found) & {
        *("client", "jobs", "sandbox", "inputs", "cli._commands", "cli._run"),
    }
    assert not found & {"aiohttp", "anyio", "tenacity", "sqlite3", "PIL", "rich"}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda each: each.__name__)
def test_all_names_can_be_had(package: ModuleType) -> None:
    """What a package promises it gives, and `dir` shows it."""
    names: list[str] = package.__all__

    assert [name for name in names if not hasattr(package, name)] == []
    assert dir(package) == sorted(names)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda each: each.__name__)
def test_no_other_name_can_be_had(package: ModuleType) -> None:
    """A name that no package has is an AttributeError, as with any module."""
    with pytest.raises(AttributeError, match=f"'{package.__name__}' has no .*'Other'"):
        _ = package.Other
    with pytest.raises(AttributeError, match="has no attribute 'REQUESTS'"):
        _ = ideogram_async.REQUESTS  # type: ignore[attr-defined]


def test_modules_can_be_had() -> None:
    """The public modules are there without a further import."""
    code = (
        "import ideogram_async as i\n"
        "i.requests.REQUESTS, i.providers.PROVIDERS, i.errors.SafetyError\n"
        "i.responses.ImageObject, i.vocabulary.Seed, i.masks.Mask, i.client\n"
        "i.requests.edit.RemixV3, i.limiter, i.batch, i.costs, i.uploads, i.hooks"
    )

    assert {"client", "masks", "requests.edit"} <= ours(loaded(code))


def test_provider_is_loaded_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that is asked for by its name is loaded then."""
    name = "ideogram_async.providers.kkiai"
    monkeypatch.setattr(providers, "kkiai", sys.modules.get(name), raising=False)
    monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.delitem(_base._registered, "kkiai", raising=False)

    assert PROVIDERS["kkiai"].name == "kkiai"
    assert name in sys.modules


def test_star_import_gives_all() -> None:
    """`from ideogram_async import *` brings every name of `__all__`."""
    found: dict[str, Any] = {}
    exec("from ideogram_async import *", found)  # the only way to test it

    assert set(ideogram_async.__all__) <= set(found)
    assert found["GenerateV3"] is GenerateV3
