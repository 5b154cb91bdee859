"""Datasets, training, and custom models."""

from __future__ import annotations

from typing import Annotated

from attrs import field

from .._rules import NotBlank
from ..responses import (
    Dataset,
    GetDatasetResponse,
    GetModelResponse,
    ListDatasetsResponse,
    ListModelsResponse,
    TrainDatasetModelResponse,
    UploadDatasetAssetsResponse,
)
from ..vocabulary import DatasetFiles, Identifier, ModelName, ModelScope, ModelStatus
from ._base import Fields, Request, fields, get, post


@get("/datasets")
class ListDatasets(Request[ListDatasetsResponse]):
    """List the datasets of the account.

    Source: https://developer.ideogram.ai/api-reference/custom-model-training/list-datasets
    """


@post("/datasets", places=0)
class CreateDataset(Request[Dataset]):
    """Create an empty dataset.

    Attributes:
        name: What to call it.

    Raises:
        ValueError: The name is blank.

    Source: https://developer.ideogram.ai/api-reference/custom-model-training/create-dataset
    """

    name: Annotated[str, NotBlank()] = field(kw_only=False)


@get("/datasets/{dataset_id}")
class GetDataset(Request[GetDatasetResponse]):
    """Get a dataset and the list of its files.

    Attributes:
        dataset_id: Id of the dataset.

    Raises:
        ValueError: It can be no id.

    Source: https://developer.ideogram.ai/api-reference/custom-model-training/get-dataset
    """

    dataset_id: Identifier = field(kw_only=False)


@post("/datasets/{dataset_id}/upload_assets", multipart=True, places=0)
class UploadDatasetAssets(Request[UploadDatasetAssetsResponse]):
    """Upload images, captions or ZIP files to a dataset, which holds up to 100 images.

    A file that the service refuses is listed in the answer, and is no error.

    Attributes:
        dataset_id: Id of the dataset.
        files: PNG, JPEG or WebP images, .txt captions of the same name, ZIP files of
            both.

    Raises:
        ValueError: A file is of another type.

    Source: https://developer.ideogram.ai/api-reference/custom-model-training/upload-dataset-assets
    """

    dataset_id: Identifier = field(kw_only=False)
    files: DatasetFiles


@fields
class Training(Fields):
    """What is trained.

    Attributes:
        dataset_id: Id of the dataset, which holds 15 to 100 images.
        model_name: What to call the model: 5 to 30 letters, digits, spaces and hyphens.
    """

    dataset_id: Identifier = field(kw_only=False)
    model_name: ModelName


@post("/v1/ideogram-v3/train-model", places=0)
class TrainModelV3(Training, Request[TrainDatasetModelResponse]):
    """Start to train a custom model of Ideogram 3.0; a run is paid.

    Raises:
        ValueError: A field is out of its range.

    Source: https://developer.ideogram.ai/api-reference/custom-model-training/train-model
    """


@post("/v1/ideogram-v4/train-model", places=0)
class TrainModelV4(Training, Request[TrainDatasetModelResponse]):
    """Start to train a custom model of Ideogram 4.0; a run is paid.

    Raises:
        ValueError: A field is out of its range.

    Source: https://developer.ideogram.ai/api-reference/custom-model-training/train-model-v4
    """


@get("/models")
class ListModels(Request[ListModelsResponse]):
    """List custom models.

    Attributes:
        scope: Whose models; both if omitted.
        status: States to keep, of the own models; all if omitted.

    Raises:
        ValueError: A field is out of its range.

    Source: https://developer.ideogram.ai/api-reference/custom-model-training/list-models
    """

    scope: ModelScope | None = None
    status: tuple[ModelStatus, ...] | None = None


@get("/models/{model_id}")
class GetModel(Request[GetModelResponse]):
    """Get a custom model, and how far its training is.

    Attributes:
        model_id: Id of the model.

    Raises:
        ValueError: It can be no id.

    Source: https://developer.ideogram.ai/api-reference/custom-model-training/get-model
    """

    model_id: Identifier = field(kw_only=False)
