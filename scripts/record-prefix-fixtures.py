"""Records prefix tuning by Hugging Face's PEFT, fields of its files and outputs, into test/fixtures/train/prefix.json.

Run from the repository's root with Python 3.11 and the libraries: pip install torch==2.13.0 transformers==5.18.0 peft==0.21.0
python scripts/record-prefix-fixtures.py
The models are tiny ones of record-transformer-fixtures.py. Weights, the prefix and ids are no record: both sides compute them
(src/models/testing/fill.ts).
"""
import json
import tempfile
from pathlib import Path

import peft
import torch
from safetensors.torch import load_file

from checkpoints import reload
from recording import integers, signed

FIXTURES = Path(__file__).parent.parent / "test" / "fixtures"
NAMES = ["GPT2LMHeadModel", "LlamaForCausalLM", "Qwen2ForCausalLM"]
TOKENS, BATCH, TIME, VOCABULARY = 3, 2, 7, 31


def record(config):
    model, _ = reload(config)
    adapted = peft.get_peft_model(model, peft.PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=TOKENS)).eval()
    prefix = adapted.prompt_encoder["default"].embedding.weight
    prefix.copy_(signed("prompt_embeddings", prefix.shape))
    mask = torch.ones(BATCH, TIME, dtype=torch.long)
    mask[1, -2:] = 0
    ids = torch.where(mask == 1, integers("ids", (BATCH, TIME), VOCABULARY), 1)
    outputs = adapted(input_ids=ids, attention_mask=mask).logits
    with tempfile.TemporaryDirectory() as folder:
        adapted.save_pretrained(folder)
        fields = json.loads((Path(folder) / "adapter_config.json").read_text())
        fields["base_model_name_or_path"] = "base"
        (tensor,) = load_file(Path(folder) / "adapter_model.safetensors").items()
    assert tensor[0] == "prompt_embeddings" and torch.equal(tensor[1], prefix)
    data = [float(f"{number:.7g}") for number in outputs.flatten().tolist()]
    return {"config": config, "fields": fields, "prefix": list(prefix.shape), "output": {"shape": list(outputs.shape), "data": data}}


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    known = json.loads((FIXTURES / "models" / "transformers.json").read_text())["models"]
    models = {name: record(known[name]["config"]) for name in NAMES}
    header = {"script": "scripts/record-prefix-fixtures.py", "torch": torch.__version__, "peft": peft.__version__}
    entries = ",\n".join(f"    {json.dumps(key)}: {json.dumps(value)}" for key, value in models.items())
    path = FIXTURES / "train" / "prefix.json"
    path.write_text(f'{{\n  "header": {json.dumps(header)},\n  "models": {{\n{entries}\n  }}\n}}\n')
