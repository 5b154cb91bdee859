"""Request classes, one per operation; `REQUESTS` holds all of them by name."""

from typing import TYPE_CHECKING

from .._lazy import lazy
from ._base import REQUESTS, Endpoint, Request
from ._docs import field_docs


if TYPE_CHECKING:
    from ._groups import ColorPalette, ColorPaletteMember
    from ._prompts import Composition, JsonPrompt, PromptElement, StyleDescription
    from .design import GenerateDesignV3, LayerizeDesignV3
    from .edit import (
        EditV3,
        EditWithPrompt,
        InpaintV3,
        ReframeV3,
        RemixV3,
        RemoveBackground,
        ReplaceBackgroundV3,
        TryOnV3,
    )
    from .generate import GenerateTransparentV3, GenerateV3
    from .legacy import EditLegacy, GenerateLegacy, ReframeLegacy, RemixLegacy, Upscale
    from .training import (
        CreateDataset,
        GetDataset,
        GetModel,
        ListDatasets,
        ListModels,
        TrainModelV3,
        TrainModelV4,
        UploadDatasetAssets,
    )
    from .understand import Describe, DescribeV4, LayerizeTextV3, MagicPromptV4
    from .v4 import GenerateV4, GetGeneration, RemixV4, SubmitGenerateV4
else:
    __getattr__, __dir__ = lazy(
        __name__,
        {
            "_groups": "ColorPalette ColorPaletteMember",
            "_prompts": "Composition JsonPrompt PromptElement StyleDescription",
            "design": "GenerateDesignV3 LayerizeDesignV3",
            "edit": (
                "EditV3 EditWithPrompt InpaintV3 ReframeV3 RemixV3 RemoveBackground "
                "ReplaceBackgroundV3 TryOnV3"
            ),
            "generate": "GenerateTransparentV3 GenerateV3",
            "legacy": "EditLegacy GenerateLegacy ReframeLegacy RemixLegacy Upscale",
            "training": (
                "CreateDataset GetDataset GetModel ListDatasets ListModels "
                "TrainModelV3 TrainModelV4 UploadDatasetAssets"
            ),
            "understand": "Describe DescribeV4 LayerizeTextV3 MagicPromptV4",
            "v4": "GenerateV4 GetGeneration RemixV4 SubmitGenerateV4",
        },
    )


__all__ = [
    "REQUESTS",
    "ColorPalette",
    "ColorPaletteMember",
    "Composition",
    "CreateDataset",
    "Describe",
    "DescribeV4",
    "EditLegacy",
    "EditV3",
    "EditWithPrompt",
    "Endpoint",
    "GenerateDesignV3",
    "GenerateLegacy",
    "GenerateTransparentV3",
    "GenerateV3",
    "GenerateV4",
    "GetDataset",
    "GetGeneration",
    "GetModel",
    "InpaintV3",
    "JsonPrompt",
    "LayerizeDesignV3",
    "LayerizeTextV3",
    "ListDatasets",
    "ListModels",
    "MagicPromptV4",
    "PromptElement",
    "ReframeLegacy",
    "ReframeV3",
    "RemixLegacy",
    "RemixV3",
    "RemixV4",
    "RemoveBackground",
    "ReplaceBackgroundV3",
    "Request",
    "StyleDescription",
    "SubmitGenerateV4",
    "TrainModelV3",
    "TrainModelV4",
    "TryOnV3",
    "UploadDatasetAssets",
    "Upscale",
    "field_docs",
]
