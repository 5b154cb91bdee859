"""The operations of the service as methods: one line each."""

from __future__ import annotations

from typing import Final

from . import requests as r
from ._verb import Verb


class Operations:
    """A verb for every request class; `send` does the work."""

    generate: Final = Verb(r.GenerateV3)
    generate_transparent: Final = Verb(r.GenerateTransparentV3)
    inpaint: Final = Verb(r.InpaintV3)
    remix: Final = Verb(r.RemixV3)
    reframe: Final = Verb(r.ReframeV3)
    replace_background: Final = Verb(r.ReplaceBackgroundV3)
    remove_background: Final = Verb(r.RemoveBackground)
    layerize_text: Final = Verb(r.LayerizeTextV3)
    edit: Final = Verb(r.EditWithPrompt)
    upscale: Final = Verb(r.Upscale)
    describe: Final = Verb(r.Describe)
    generate_legacy: Final = Verb(r.GenerateLegacy)
    edit_v3: Final = Verb(r.EditV3)
    edit_legacy: Final = Verb(r.EditLegacy)
    remix_legacy: Final = Verb(r.RemixLegacy)
    reframe_legacy: Final = Verb(r.ReframeLegacy)
    list_datasets: Final = Verb(r.ListDatasets)
    create_dataset: Final = Verb(r.CreateDataset)
    get_dataset: Final = Verb(r.GetDataset)
    upload_dataset_assets: Final = Verb(r.UploadDatasetAssets)
    train_model: Final = Verb(r.TrainModelV3)
    list_models: Final = Verb(r.ListModels)
    get_model: Final = Verb(r.GetModel)
    generate_v4: Final = Verb(r.GenerateV4)
    submit_generate_v4: Final = Verb(r.SubmitGenerateV4)
    get_generation: Final = Verb(r.GetGeneration)
    remix_v4: Final = Verb(r.RemixV4)
    describe_v4: Final = Verb(r.DescribeV4)
    magic_prompt: Final = Verb(r.MagicPromptV4)
    generate_design: Final = Verb(r.GenerateDesignV3)
    layerize_design: Final = Verb(r.LayerizeDesignV3)
    try_on: Final = Verb(r.TryOnV3)
    train_model_v4: Final = Verb(r.TrainModelV4)
