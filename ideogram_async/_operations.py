"""The operations of the service as methods: one line each."""

from __future__ import annotations

from typing import Final

from . import requests as r
from ._verb import Verb


class Operations:
    """A verb for every request class; `send` does the work."""

    generate: Final = Verb(lambda: r.GenerateV3)
    generate_transparent: Final = Verb(lambda: r.GenerateTransparentV3)
    inpaint: Final = Verb(lambda: r.InpaintV3)
    remix: Final = Verb(lambda: r.RemixV3)
    reframe: Final = Verb(lambda: r.ReframeV3)
    replace_background: Final = Verb(lambda: r.ReplaceBackgroundV3)
    remove_background: Final = Verb(lambda: r.RemoveBackground)
    layerize_text: Final = Verb(lambda: r.LayerizeTextV3)
    edit: Final = Verb(lambda: r.EditWithPrompt)
    upscale: Final = Verb(lambda: r.Upscale)
    describe: Final = Verb(lambda: r.Describe)
    generate_legacy: Final = Verb(lambda: r.GenerateLegacy)
    edit_v3: Final = Verb(lambda: r.EditV3)
    edit_legacy: Final = Verb(lambda: r.EditLegacy)
    remix_legacy: Final = Verb(lambda: r.RemixLegacy)
    reframe_legacy: Final = Verb(lambda: r.ReframeLegacy)
    list_datasets: Final = Verb(lambda: r.ListDatasets)
    create_dataset: Final = Verb(lambda: r.CreateDataset)
    get_dataset: Final = Verb(lambda: r.GetDataset)
    upload_dataset_assets: Final = Verb(lambda: r.UploadDatasetAssets)
    train_model: Final = Verb(lambda: r.TrainModelV3)
    list_models: Final = Verb(lambda: r.ListModels)
    get_model: Final = Verb(lambda: r.GetModel)
    generate_v4: Final = Verb(lambda: r.GenerateV4)
    submit_generate_v4: Final = Verb(lambda: r.SubmitGenerateV4)
    get_generation: Final = Verb(lambda: r.GetGeneration)
    remix_v4: Final = Verb(lambda: r.RemixV4)
    describe_v4: Final = Verb(lambda: r.DescribeV4)
    magic_prompt: Final = Verb(lambda: r.MagicPromptV4)
    generate_design: Final = Verb(lambda: r.GenerateDesignV3)
    layerize_design: Final = Verb(lambda: r.LayerizeDesignV3)
    try_on: Final = Verb(lambda: r.TryOnV3)
    train_model_v4: Final = Verb(lambda: r.TrainModelV4)
