"""Answers on datasets and custom models, which change as time passes."""

from __future__ import annotations

from typing import Any, Final

from .. import requests as r
from ..requests import Request
from ..uploads import Upload
from .answers import Answer
from .asked import content_of
from .assets import Asset, refusal_reason, unpacked
from .studio import (
    RefusalError,
    StoredDataset,
    Studio,
    TrainedModel,
    moment,
    new_id,
)


USER: Final = "sandbox-user"
LEAST_IMAGES: Final = 15
"""Fewest images to train with."""
MOST_IMAGES: Final = 100
"""Most images of a dataset."""
RUNS: Final = {
    "CREATING": "PREPARING_DATA",
    "TRAINING": "TRAINING",
    "COMPLETED": "COMPLETED",
}
"""State of the training run by the state of its model."""


def list_datasets(studio: Studio, _: r.ListDatasets) -> dict[str, Any]:
    """Answer with all datasets."""
    return {"datasets": list(map(_dataset, studio.datasets.values()))}


def create_dataset(studio: Studio, request: r.CreateDataset) -> dict[str, Any]:
    """Make an empty dataset, and answer with it."""
    made = StoredDataset(dataset_id=new_id(), name=request.name, created=studio.clock())
    studio.datasets[made.dataset_id] = made
    return _dataset(made)


def get_dataset(studio: Studio, request: r.GetDataset) -> dict[str, Any]:
    """Answer with a dataset and its files."""
    stored = _stored(studio, request.dataset_id)
    return {
        "dataset": _dataset(stored),
        "file_count": len(stored.sizes),
        "files": [
            {"file_name": name, "file_size_bytes": size}
            for name, size in stored.sizes.items()
        ],
        "custom_model_ids": [
            model.model_id
            for model in studio.models.values()
            if model.dataset_id == stored.dataset_id
        ],
    }


def upload_assets(studio: Studio, request: r.UploadDatasetAssets) -> dict[str, Any]:
    """Take what can be taken; what can't is refused inside of the answer."""
    stored = _stored(studio, request.dataset_id)
    uploads: tuple[Upload, ...] = request.files
    assets = [
        asset
        for upload in uploads
        for asset in unpacked(Asset(upload.filename, content_of(upload)))
    ]
    known = {asset.stem for asset in assets if asset.is_image}
    known |= {Asset(name, b"").stem for name in stored.images}
    taken: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for asset in sorted(assets, key=lambda asset: not asset.is_image):
        reason = refusal_reason(asset, known, studio.refused_words)
        is_new = asset.is_image and asset.name not in stored.images
        if reason is None and is_new and len(stored.images) >= MOST_IMAGES:
            reason = "TOO_MANY_IMAGES"
        if reason is not None:
            failed.append({"file_name": asset.name, "failure_reason": reason})
            continue
        taken.append(
            {"asset_identifier": _keep(stored, asset), "file_name": asset.name}
        )
    return {
        "total_count": len(taken) + len(failed),
        "success_count": len(taken),
        "failure_count": len(failed),
        "successful_assets": taken,
        "failed_assets": failed,
    }


def check_training(studio: Studio, request: Any) -> None:
    """Check that there is enough to train with.

    Raises:
        RefusalError: The dataset is unknown, or has too few images.
    """
    stored = _stored(studio, request.dataset_id)
    if len(stored.images) < LEAST_IMAGES:
        raise RefusalError(
            400,
            f"The dataset has {len(stored.images)} images; training needs"
            f" {LEAST_IMAGES} to {MOST_IMAGES}.",
        )


def train(studio: Studio, request: Any) -> dict[str, Any]:
    """Start to train, and answer with the id of the model."""
    model = TrainedModel(
        model_id=new_id(),
        name=request.model_name,
        started=studio.clock(),
        dataset_id=request.dataset_id,
    )
    studio.models[model.model_id] = model
    return {
        "model_id": model.model_id,
        "dataset_id": request.dataset_id,
        "training_status": _state(studio, model)[0],
        "model_name": model.name,
    }


def list_models(studio: Studio, request: r.ListModels) -> dict[str, Any]:
    """Answer with the models of the scope; the states concern the own ones only."""
    scopes = {request.scope} if request.scope else {"owned", "shared"}
    models = [
        _model(studio, model)
        for model in studio.models.values()
        if ("owned" if model.dataset_id else "shared") in scopes
        and (
            not request.status
            or not model.dataset_id
            or _state(studio, model)[0] in request.status
        )
    ]
    return {"models": models}


def get_model(studio: Studio, request: r.GetModel) -> dict[str, Any]:
    """Answer with a model."""
    if request.model_id not in studio.models:
        raise RefusalError(404, f"There is no model {request.model_id}.")
    return {"model": _model(studio, studio.models[request.model_id])}


def _stored(studio: Studio, dataset_id: str) -> StoredDataset:
    if dataset_id not in studio.datasets:
        raise RefusalError(404, f"There is no dataset {dataset_id}.")
    return studio.datasets[dataset_id]


def _keep(stored: StoredDataset, asset: Asset) -> dict[str, str]:
    stored.sizes[asset.name] = len(asset.content)
    asset_id = stored.images.get(asset.name) or new_id()
    if asset.is_image:
        stored.images[asset.name] = asset_id
    return {"asset_type": "UPLOAD", "asset_id": asset_id}


def _dataset(stored: StoredDataset) -> dict[str, Any]:
    said: dict[str, Any] = {
        "dataset_id": stored.dataset_id,
        "name": stored.name,
        "user_id": USER,
        "creation_time": moment(stored.created),
    }
    for asset_id in list(stored.images.values())[:1]:
        cover = {"asset_type": "UPLOAD", "asset_id": asset_id}
        said["cover_asset_identifier"] = cover
    return said


def _state(studio: Studio, model: TrainedModel) -> tuple[str, float]:
    """Return the state of *model*, and since when."""
    created = model.started + studio.creating_seconds
    trained = created + studio.training_seconds
    if model.dataset_id is None:
        return "COMPLETED", model.started
    if studio.clock() < created:
        return "CREATING", model.started
    if studio.clock() < trained:
        return "TRAINING", created
    return "COMPLETED", trained


def _model(studio: Studio, model: TrainedModel) -> dict[str, Any]:
    state, since = _state(studio, model)
    is_ready = state == "COMPLETED"
    name = model.name.strip().replace(" ", "-")
    run = {
        "training_run_id": f"{model.model_id}-1",
        "status": RUNS[state],
        "creation_time": moment(model.started),
        "last_update_time": moment(since),
    }
    return {
        "model_id": model.model_id,
        "name": model.name,
        "status": state,
        "creation_time": moment(model.started),
        "last_update_time": moment(since),
        "is_available_for_generation": is_ready,
        "is_owned": model.dataset_id is not None,
        "custom_model_uri": f"model/{name}/version/1" if is_ready else None,
        "dataset_id": model.dataset_id,
        "training_runs": [run] if model.dataset_id else [],
    }


TRAINED: Final[dict[type[Request[Any]], Answer]] = {
    r.ListDatasets: list_datasets,
    r.CreateDataset: create_dataset,
    r.GetDataset: get_dataset,
    r.UploadDatasetAssets: upload_assets,
    r.TrainModelV3: train,
    r.TrainModelV4: train,
    r.ListModels: list_models,
    r.GetModel: get_model,
}
"""The answers to requests on datasets and models."""
