"""Records gradients of a loss with respect to every parameter of Hugging Face's models into test/fixtures/models/gradients.json.

Run from the repository's root with Python 3.11 and the libraries: pip install torch==2.13.0 transformers==5.18.0
python scripts/record-gradient-fixtures.py
The models are tiny ones of record-transformer-fixtures.py and record-family-fixtures.py, without dropout, in float64 but for norms, softmax and
rotary angles, which the library computes in float32 at least. Weights, inputs and labels are no record: both sides compute them
(src/models/testing/fill.ts). The elements of a gradient are float32, little-endian, in base64.
"""
import base64
import json
import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F
import transformers

from checkpoints import reload, saved
from recording import digest, integers, signed

MODELS = Path(__file__).parent.parent / "test" / "fixtures" / "models"
BATCH, TIME, PADDING = 2, 7, -100
NO_DROPOUT = {
    "bert": dict(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0),
    "gpt2": dict(resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0),
}


def texts(vocabulary):
    """Ids and their mask: the second sequence is two tokens shorter and filled up with token 1."""
    mask = torch.ones(BATCH, TIME, dtype=torch.long)
    mask[1, -2:] = 0
    return {"input_ids": torch.where(mask == 1, integers("ids", (BATCH, TIME), vocabulary), 1), "attention_mask": mask}


def images(config):
    return {"pixel_values": signed("input", (BATCH, 3, config["image_size"], config["image_size"])).double()}


def sentences(model, config):
    """Cross-entropy of the class of each sentence."""
    given = dict(texts(config["vocab_size"]), token_type_ids=integers("types", (BATCH, TIME), 2))
    return F.cross_entropy(model(**given).logits, integers("labels", (BATCH,), 3))


def tokens(model, config):
    """Mean cross-entropy of a label at each token that is no padding."""
    given = texts(config["vocab_size"])
    labels = integers("labels", (BATCH, TIME), config["vocab_size"])
    labels = torch.where(given["attention_mask"] == 1, labels, PADDING)
    return F.cross_entropy(model(**given).logits.flatten(0, 1), labels.flatten(), ignore_index=PADDING)


def pictures(model, config):
    """Cross-entropy of the class of each image."""
    return F.cross_entropy(model(**images(config)).logits, integers("labels", (BATCH,), 3))


def pairs(model, config):
    """The contrastive loss of CLIP, both ways. The last token of each text is the one that ends texts, so that its state depends on all."""
    given = dict(texts(config["text_config"]["vocab_size"]), **images(config["vision_config"]))
    given["input_ids"][0, -1] = given["input_ids"][1, -3] = config["text_config"]["eos_token_id"]
    return model(**given, return_loss=True).loss


CASES = {
    "BertForSequenceClassification": ("transformers", sentences),
    "GPT2LMHeadModel": ("transformers", tokens),
    "LlamaForCausalLM": ("transformers", tokens),
    "Qwen2ForCausalLM": ("transformers", tokens),
    "ViTForImageClassification": ("transformers", pictures),
    "CLIP, another end": ("families/towers", pairs),
}


def record(name, file, loss_of):
    known = json.loads((MODELS / f"{file}.json").read_text())["models"][name]
    config = dict(known["config"], **NO_DROPOUT.get(known["config"]["model_type"], {}))
    model, shapes = reload(config)
    assert digest(shapes) == known["names"]
    model.double().train()
    loss = loss_of(model, config)
    loss.backward()
    with torch.no_grad(), tempfile.TemporaryDirectory() as folder:
        for parameter in model.parameters():
            parameter.copy_(parameter.grad)
        gradients = saved(model, folder)
    encoded = {key: base64.b64encode(value.float().numpy().tobytes()).decode() for key, value in sorted(gradients.items())}
    return {"config": config, "loss": loss.item(), "gradients": encoded}


if __name__ == "__main__":
    torch.set_num_threads(1)
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    fixture = {
        "header": {"script": "scripts/record-gradient-fixtures.py", **versions},
        "models": {name: record(name, *case) for name, case in CASES.items()},
    }
    (MODELS / "gradients.json").write_text(json.dumps(fixture, indent=1) + "\n")
