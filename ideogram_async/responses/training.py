"""Datasets and custom models, after the service's own schema names."""

from __future__ import annotations

from datetime import datetime

import attrs

from ._base import Answer


@attrs.frozen(kw_only=True, eq=False, repr=False)
class AssetIdentifier(Answer):
    """Names an asset of the service.

    Attributes:
        asset_type: Such as `"UPLOAD"`.
        asset_id: Its id.
    """

    asset_type: str
    asset_id: str


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Dataset(Answer):
    """A set of images to train with.

    Attributes:
        dataset_id: Its id.
        name: What it is called.
        user_id: Whose it is.
        creation_time: When it was made, in UTC.
        cover_asset_identifier: The image that stands for it, or None.
    """

    dataset_id: str
    name: str
    user_id: str | None = None
    creation_time: datetime | None = None
    cover_asset_identifier: AssetIdentifier | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ListDatasetsResponse(Answer):
    """The answer of `ListDatasets`.

    Attributes:
        datasets: The datasets of the account.
    """

    datasets: tuple[Dataset, ...] = ()


@attrs.frozen(kw_only=True, eq=False, repr=False)
class DatasetFile(Answer):
    """A file of a dataset.

    Attributes:
        file_name: Its name, or None.
        file_size_bytes: Its size in bytes, or None.
    """

    file_name: str | None = None
    file_size_bytes: int | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class GetDatasetResponse(Answer):
    """The answer of `GetDataset`.

    Attributes:
        dataset: The dataset.
        file_count: How many files it has.
        files: The files.
        custom_model_ids: Ids of the models that were trained with it.
    """

    dataset: Dataset
    file_count: int = 0
    files: tuple[DatasetFile, ...] = ()
    custom_model_ids: tuple[str, ...] = ()


@attrs.frozen(kw_only=True, eq=False, repr=False)
class SuccessfulAsset(Answer):
    """A file that was taken.

    Attributes:
        asset_identifier: The asset it became.
        file_name: Its name, or None.
    """

    asset_identifier: AssetIdentifier
    file_name: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class FailedAsset(Answer):
    """A file that was refused.

    Attributes:
        failure_reason: Such as `"INVALID_IMAGE"`.
        file_name: Its name, or None.
    """

    failure_reason: str
    file_name: str | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class UploadDatasetAssetsResponse(Answer):
    """The answer of `UploadDatasetAssets`; refused files are no error.

    Attributes:
        total_count: How many files came.
        success_count: How many were taken.
        failure_count: How many were refused.
        successful_assets: Those taken.
        failed_assets: Those refused, with the reasons.
    """

    total_count: int
    success_count: int
    failure_count: int
    successful_assets: tuple[SuccessfulAsset, ...] = ()
    failed_assets: tuple[FailedAsset, ...] = ()


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TrainDatasetModelResponse(Answer):
    """The answer of the training operations.

    Attributes:
        model_id: Id of the model that is trained: ask `GetModel` for it.
        dataset_id: The dataset.
        training_status: How far it is, in the service's words.
        model_name: What the model is called.
    """

    model_id: str
    dataset_id: str
    training_status: str
    model_name: str


@attrs.frozen(kw_only=True, eq=False, repr=False)
class TrainingRun(Answer):
    """One run of a training.

    Attributes:
        training_run_id: Its id.
        status: Such as `"TRAINING"`.
        creation_time: When it was started, in UTC.
        last_update_time: When it changed last, in UTC, or None.
        training_steps: Number of steps, or None.
        lora_rank: Rank of the adaptation, or None.
        num_chips: Number of chips, or None.
        ema: Decay of the average, or None.
        learning_rate: Rate of the optimizer, or None.
    """

    training_run_id: str
    status: str
    creation_time: datetime | None = None
    last_update_time: datetime | None = None
    training_steps: int | None = None
    lora_rank: int | None = None
    num_chips: int | None = None
    ema: float | None = None
    learning_rate: float | None = None


@attrs.frozen(kw_only=True, eq=False, repr=False)
class CustomModel(Answer):
    """A trained model.

    Attributes:
        model_id: Its id.
        name: What it is called.
        status: `"CREATING"`, `"DRAFT"`, `"TRAINING"`, `"COMPLETED"`, `"ERRORED"` or
            `"ARCHIVED"`.
        creation_time: When it was made, in UTC.
        is_available_for_generation: Whether `custom_model_uri` can be used.
        is_owned: Whether it is the account's own.
        custom_model_uri: What to put into a request, or None while it is trained.
        dataset_id: The dataset, or None.
        last_update_time: When it changed last, in UTC, or None.
        training_runs: The runs of its training.
    """

    model_id: str
    name: str
    status: str
    creation_time: datetime | None = None
    is_available_for_generation: bool = False
    is_owned: bool = False
    custom_model_uri: str | None = None
    dataset_id: str | None = None
    last_update_time: datetime | None = None
    training_runs: tuple[TrainingRun, ...] = ()


@attrs.frozen(kw_only=True, eq=False, repr=False)
class ListModelsResponse(Answer):
    """The answer of `ListModels`.

    Attributes:
        models: The models.
    """

    models: tuple[CustomModel, ...] = ()


@attrs.frozen(kw_only=True, eq=False, repr=False)
class GetModelResponse(Answer):
    """The answer of `GetModel`.

    Attributes:
        model: The model.
    """

    model: CustomModel
