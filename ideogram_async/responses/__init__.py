"""What the service answers; see the modules for the classes by subject."""

from typing import TYPE_CHECKING

from .._lazy import lazy


if TYPE_CHECKING:
    from .designs import (
        ImageLayer,
        LayeredImageObject,
        LayeredImageResponse,
        TextContainer,
        TextItem,
        TextSpan,
    )
    from .generations import AsyncGenerationResponse, GenerationResponse
    from .images import ImageObject, ImageResponse, RemoveBackgroundResponse
    from .text import (
        DescribeResponse,
        DescribeV4Response,
        Description,
        LayerizeTextResponse,
        MagicPromptV4Response,
        TextBlock,
    )
    from .training import (
        AssetIdentifier,
        CustomModel,
        Dataset,
        DatasetFile,
        FailedAsset,
        GetDatasetResponse,
        GetModelResponse,
        ListDatasetsResponse,
        ListModelsResponse,
        SuccessfulAsset,
        TrainDatasetModelResponse,
        TrainingRun,
        UploadDatasetAssetsResponse,
    )
else:
    __getattr__, __dir__ = lazy(
        __name__,
        {
            "designs": (
                "ImageLayer LayeredImageObject LayeredImageResponse TextContainer "
                "TextItem TextSpan"
            ),
            "generations": "AsyncGenerationResponse GenerationResponse",
            "images": "ImageObject ImageResponse RemoveBackgroundResponse",
            "text": (
                "DescribeResponse DescribeV4Response Description LayerizeTextResponse "
                "MagicPromptV4Response TextBlock"
            ),
            "training": (
                "AssetIdentifier CustomModel Dataset DatasetFile FailedAsset "
                "GetDatasetResponse GetModelResponse ListDatasetsResponse "
                "ListModelsResponse SuccessfulAsset TrainDatasetModelResponse "
                "TrainingRun UploadDatasetAssetsResponse"
            ),
        },
    )


__all__ = [
    "AssetIdentifier",
    "AsyncGenerationResponse",
    "CustomModel",
    "Dataset",
    "DatasetFile",
    "DescribeResponse",
    "DescribeV4Response",
    "Description",
    "FailedAsset",
    "GenerationResponse",
    "GetDatasetResponse",
    "GetModelResponse",
    "ImageLayer",
    "ImageObject",
    "ImageResponse",
    "LayeredImageObject",
    "LayeredImageResponse",
    "LayerizeTextResponse",
    "ListDatasetsResponse",
    "ListModelsResponse",
    "MagicPromptV4Response",
    "RemoveBackgroundResponse",
    "SuccessfulAsset",
    "TextBlock",
    "TextContainer",
    "TextItem",
    "TextSpan",
    "TrainDatasetModelResponse",
    "TrainingRun",
    "UploadDatasetAssetsResponse",
]
