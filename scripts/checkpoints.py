"""Models of Hugging Face's transformers whose files are filled with numbers that both sides compute, and what files of theirs hold."""
import tempfile
from pathlib import Path

import torch
import transformers
from safetensors.torch import load_file, save_file

from recording import filled


def saved(model, folder):
    """The tensors of the model's file, which the library may call otherwise than the model does."""
    model.save_pretrained(folder)
    return load_file(Path(folder) / "model.safetensors")


def reload(config):
    """The model of a config.json with filled weights, and the shapes of its file."""
    (name,) = config["architectures"]
    kind = getattr(transformers, name)
    fields = {key: value for key, value in config.items() if key not in ("model_type", "architectures")}
    model = kind(transformers.AutoConfig.for_model(config["model_type"], **fields))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        shapes = {key: tuple(value.shape) for key, value in saved(model, folder).items()}
        untied = config["model_type"] == "t5" and config.get("tie_word_embeddings") is False
        if untied:
            # The library ties when it builds, and finds out from the file that the weights differ.
            shapes["lm_head.weight"] = shapes["shared.weight"]
        save_file({key: filled(key, shape) for key, shape in shapes.items()}, path, {"format": "pt"})
        model = kind.from_pretrained(folder, attn_implementation="eager").eval()
    if untied:
        assert torch.equal(model.lm_head.weight, filled("lm_head.weight", shapes["lm_head.weight"]))
    return model, shapes
