"""Datasets, training and models, driven by aiohttp alone."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from typing import Any

import aiohttp
import pytest

from ideogram_async.sandbox import Sandbox

from .plain import asked, form, get, png, post


TRAIN = ["/v1/ideogram-v3/train-model", "/v1/ideogram-v4/train-model"]


class Clock:
    """A clock that is set by hand."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


async def new_dataset(http: aiohttp.ClientSession, sandbox: Sandbox) -> str:
    """Make a dataset and return its address."""
    url = sandbox.url + "/datasets"
    status, answer = await post(http, url, json={"name": "my style"})
    assert status == 200
    return f"{url}/{answer['dataset_id']}"


async def uploaded(
    http: aiohttp.ClientSession, dataset: str, *files: tuple[str, bytes]
) -> dict[str, Any]:
    """Upload files by name, and return the answer."""
    parts = [(f"files/{name}", content) for name, content in files]
    return await asked(http, f"{dataset}/upload_assets", *parts)


def packed(*files: tuple[str, bytes]) -> bytes:
    """Return a ZIP file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return file.getvalue()


def pictures(count: int) -> list[tuple[str, bytes]]:
    """Return so many images."""
    return [(f"{number}.png", png("red", (8, 8))) for number in range(count)]


async def test_a_dataset(http: aiohttp.ClientSession, sandbox: Sandbox) -> None:
    """A dataset is created, listed, and got, with its files and its cover."""
    dataset = await new_dataset(http, sandbox)
    _, empty = await get(http, dataset)
    await uploaded(http, dataset, ("a.png", png()), ("a.txt", b"a red square"))
    await uploaded(http, dataset, ("a.png", png("blue")))
    _, answer = await get(http, dataset)
    _, listed = await get(http, sandbox.url + "/datasets")

    assert (empty["file_count"], empty["files"]) == (0, [])
    assert "cover_asset_identifier" not in empty["dataset"]
    assert [file["file_name"] for file in answer["files"]] == ["a.png", "a.txt"]
    assert answer["files"][1]["file_size_bytes"] == 12
    assert answer["dataset"]["cover_asset_identifier"]["asset_type"] == "UPLOAD"
    assert datetime.fromisoformat(answer["dataset"]["creation_time"]).tzinfo
    assert listed == {"datasets": [answer["dataset"]]}
    assert answer["custom_model_ids"] == []
    assert sandbox.ledger.charges == []


async def test_uploads_are_judged_one_by_one(
    http: aiohttp.ClientSession, sandbox: Sandbox
) -> None:
    """Refusals are inside of a 200, with the documented reasons."""
    dataset = await new_dataset(http, sandbox)
    answer = await uploaded(
        http,
        dataset,
        ("good.png", png()),
        ("good.txt", b"a red square"),
        ("other.txt", b"of no image"),
        ("good2.png", png()),
        ("good2.txt", b"\xff\xfe\x00"),
        ("cut.png", png()[:40]),
        ("text.png", b"no image at all"),
        ("moving.gif", b"GIF89a"),
        ("large.png", png() + bytes(10 * 1024 * 1024)),
        ("forbidden.png", png()),
        ("broken.zip", b"PK\x03\x04 nothing"),
        ("text.zip", b"nothing"),
        ("blank.png", png()),
        ("blank.txt", b" \n"),
    )
    failed = {
        each["file_name"]: each["failure_reason"] for each in answer["failed_assets"]
    }

    assert failed == {
        "other.txt": "INVALID_CAPTION",
        "good2.txt": "INVALID_CAPTION",
        "blank.txt": "INVALID_CAPTION",
        "cut.png": "INVALID_IMAGE",
        "text.png": "INVALID_IMAGE",
        "moving.gif": "INVALID_IMAGE",
        "large.png": "FILE_TOO_LARGE",
        "forbidden.png": "FAILED_SAFETY_CHECK",
        "broken.zip": "INVALID_ZIP",
        "text.zip": "INVALID_ZIP",
    }
    taken = [each["file_name"] for each in answer["successful_assets"]]
    assert sorted(taken) == ["blank.png", "good.png", "good.txt", "good2.png"]
    assert (answer["total_count"], answer["success_count"]) == (14, 4)
    assert answer["failure_count"] == len(failed)


async def test_zip_files(http: aiohttp.ClientSession, sandbox: Sandbox) -> None:
    """A ZIP file stands for what is in it, captions and folders included."""
    dataset = await new_dataset(http, sandbox)
    content = packed(
        ("style/", b""),
        ("style/a.png", png()),
        ("style/a.txt", b"a red square"),
        ("b.webp", b"no image"),
        ("__MACOSX/style/a.png", b"something"),
        ("inner.zip", packed(("c.png", png()))),
        ("bomb.png", bytes(10 * 1024 * 1024 + 1)),
    )
    answer = await uploaded(http, dataset, ("all.zip", content))

    taken = [each["file_name"] for each in answer["successful_assets"]]
    assert taken == ["a.png", "a.txt"]
    assert {e["file_name"]: e["failure_reason"] for e in answer["failed_assets"]} == {
        "b.webp": "INVALID_IMAGE",
        "inner.zip": "INVALID_ZIP",
        "bomb.png": "FILE_TOO_LARGE",
    }


async def test_a_dataset_holds_a_hundred_images(
    http: aiohttp.ClientSession, sandbox: Sandbox
) -> None:
    """The 101st image is one too many; one of the same name takes no further place."""
    dataset = await new_dataset(http, sandbox)
    answer = await uploaded(http, dataset, *pictures(101))
    again = await uploaded(http, dataset, ("7.png", png()))

    assert answer["success_count"] == 100
    assert answer["failed_assets"] == [
        {"file_name": "100.png", "failure_reason": "TOO_MANY_IMAGES"}
    ]
    assert again["success_count"] == 1


@pytest.mark.parametrize("path", TRAIN)
async def test_training(http: aiohttp.ClientSession, path: str) -> None:
    """A model is created, trained and completed as time passes; the run is billed."""
    clock = Clock()
    async with Sandbox(
        latency=0, clock=clock, creating_seconds=10, training_seconds=100
    ) as sandbox:
        dataset = await new_dataset(http, sandbox)
        dataset_id = dataset.rpartition("/")[2]
        body = {"dataset_id": dataset_id, "model_name": "my brand style"}
        await uploaded(http, dataset, *pictures(14))
        early, complaint = await post(http, sandbox.url + path, json=body)
        await uploaded(http, dataset, ("last.png", png()))
        status, answer = await post(http, sandbox.url + path, json=body)
        states = []
        for now in (0, 9, 10, 109, 110, 10_000):
            clock.now = Clock.now + now
            _, got = await get(http, f"{sandbox.url}/models/{answer['model_id']}")
            states.append(got["model"])
        _, of_dataset = await get(http, dataset)

    assert (early, status) == (400, 200)
    assert "14 images" in complaint["error"]
    assert answer == {
        "model_id": answer["model_id"],
        "dataset_id": dataset_id,
        "training_status": "CREATING",
        "model_name": "my brand style",
    }
    assert [state["status"] for state in states] == (
        ["CREATING"] * 2 + ["TRAINING"] * 2 + ["COMPLETED"] * 2
    )
    assert [state["is_available_for_generation"] for state in states] == (
        [False] * 4 + [True] * 2
    )
    assert states[0]["custom_model_uri"] is None
    assert states[-1]["custom_model_uri"] == "model/my-brand-style/version/1"
    assert states[-1]["training_runs"][0]["status"] == "COMPLETED"
    assert states[-1]["last_update_time"] == "2027-01-15T08:01:50+00:00"
    assert states[-1]["creation_time"] == "2027-01-15T08:00:00+00:00"
    assert of_dataset["custom_model_ids"] == [answer["model_id"]]
    assert [charge.images for charge in sandbox.ledger.charges] == [1]
    assert sandbox.ledger.most_in_progress == 0


async def test_training_takes_no_place_but_money(http: aiohttp.ClientSession) -> None:
    """Without credit, a training is a 402; at the limit it runs."""
    async with Sandbox(latency=0, balance=0, limit=0) as sandbox:
        dataset = await new_dataset(http, sandbox)
        await uploaded(http, dataset, *pictures(15))
        body = {"dataset_id": dataset.rpartition("/")[2], "model_name": "my style"}
        poor, _ = await post(http, sandbox.url + TRAIN[0], json=body)
        sandbox.service.balance = 1
        rich, _ = await post(http, sandbox.url + TRAIN[0], json=body)

    assert (poor, rich) == (402, 200)
    assert sandbox.service.balance == 0


async def test_models_are_listed(http: aiohttp.ClientSession) -> None:
    """Models are listed by scope, and the own ones by state."""
    clock = Clock()
    async with Sandbox(latency=0, clock=clock) as sandbox:
        dataset = await new_dataset(http, sandbox)
        await uploaded(http, dataset, *pictures(15))
        for name in ("first style", "second style"):
            body = {"dataset_id": dataset.rpartition("/")[2], "model_name": name}
            await post(http, sandbox.url + TRAIN[0], json=body)
            clock.now += 2
        names = {}
        for query in (
            "",
            "?scope=owned",
            "?scope=shared",
            "?scope=owned&status=TRAINING",
            "?scope=owned&status=TRAINING&status=COMPLETED",
            "?status=DRAFT",
        ):
            clock.now = Clock.now + 6
            _, answer = await get(http, sandbox.url + "/models" + query)
            names[query] = [model["name"] for model in answer["models"]]
        wrong, _ = await get(http, sandbox.url + "/models?scope=all")

    assert names == {
        "": ["Shared style", "first style", "second style"],
        "?scope=owned": ["first style", "second style"],
        "?scope=shared": ["Shared style"],
        "?scope=owned&status=TRAINING": ["second style"],
        "?scope=owned&status=TRAINING&status=COMPLETED": [
            "first style",
            "second style",
        ],
        "?status=DRAFT": ["Shared style"],
    }
    assert wrong == 400
    shared = next(m for m in answer["models"] if not m["is_owned"])
    assert (shared["status"], shared["training_runs"]) == ("COMPLETED", [])


async def test_what_is_unknown_is_not_found(
    http: aiohttp.ClientSession, sandbox: Sandbox
) -> None:
    """Unknown datasets and models are a 404 everywhere."""
    url = sandbox.url
    body = {"dataset_id": "none", "model_name": "my style"}
    statuses = [
        (await get(http, url + "/datasets/none"))[0],
        (await get(http, url + "/models/none"))[0],
        (
            await post(
                http, url + "/datasets/none/upload_assets", data=form(("files", png()))
            )
        )[0],
        *[(await post(http, url + path, json=body))[0] for path in TRAIN],
    ]

    assert statuses == [404] * 5
    assert sandbox.ledger.charges == []


async def test_a_field_of_an_upload_is_no_file(
    http: aiohttp.ClientSession, sandbox: Sandbox
) -> None:
    """Text in place of files is a 400."""
    url = sandbox.url + "/datasets/none/upload_assets"
    status, _ = await post(http, url, data=form(("files", "no file")))

    assert status == 400
