"""Records adapters of Hugging Face's PEFT, what its files hold and what it computes, into test/fixtures/train/peft.json.

Run from the repository's root with Python 3.11 and the libraries: pip install torch==2.13.0 transformers==5.18.0 peft==0.21.0
python scripts/record-peft-fixtures.py
The models are tiny ones of record-transformer-fixtures.py. Weights, tensors of adapters and ids are no record: both sides compute them
(src/models/testing/fill.ts).
"""
import json
import tempfile
from pathlib import Path

import peft
import torch
from safetensors.torch import load_file, save_file

from checkpoints import reload
from recording import filled, integers

FIXTURES = Path(__file__).parent.parent / "test" / "fixtures"
BATCH, TIME = 2, 7
GPT2, LLAMA, QWEN, BERT = "GPT2LMHeadModel", "LlamaForCausalLM", "Qwen2ForCausalLM", "BertForSequenceClassification"

lora = lambda **fields: peft.LoraConfig(**{"task_type": "CAUSAL_LM", "r": 2, "lora_alpha": 3, **fields})
prefix = lambda: peft.PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)
prompt = lambda task="CAUSAL_LM": peft.PromptTuningConfig(task_type=task, num_virtual_tokens=3)
CASES = {
    "LoRA of Llama": (LLAMA, lora()),
    "LoRA of GPT-2": (GPT2, lora()),
    "LoRA of all dense layers": (LLAMA, lora(target_modules="all-linear")),
    "LoRA of all dense layers of GPT-2": (GPT2, lora(target_modules="all-linear", fan_in_fan_out=True)),
    "ranks and alphas by pattern": (
        LLAMA,
        lora(
            target_modules=["q_proj", "v_proj", "down_proj"],
            rank_pattern={"q_proj": 4, "layers.1.mlp.down_proj": 1},
            alpha_pattern={r".*\.1\.self_attn\.v_proj": 8},
        ),
    ),
    "one block": (LLAMA, lora(target_modules=["q_proj", "o_proj"], layers_to_transform=[1], layers_pattern="layers")),
    "an expression, and layers left out": (
        LLAMA,
        lora(target_modules=r".*\.(q|k|v)_proj", exclude_modules=["layers.0.self_attn.k_proj"]),
    ),
    "rsLoRA": (LLAMA, lora(use_rslora=True)),
    "DoRA": (LLAMA, lora(use_dora=True, target_modules="all-linear")),
    "DoRA of GPT-2": (GPT2, lora(use_dora=True, target_modules=["c_attn", "mlp.c_proj"], fan_in_fan_out=True)),
    "biases of adapted layers": (GPT2, lora(bias="lora_only", fan_in_fan_out=True)),
    "all biases": (GPT2, lora(bias="all", fan_in_fan_out=True)),
    "an embedding": (LLAMA, lora(target_modules=["embed_tokens", "q_proj"])),
    "an embedding with DoRA": (LLAMA, lora(target_modules=["embed_tokens", "q_proj"], use_dora=True)),
    "an embedding that gives the scores too": (GPT2, lora(target_modules=["wte", "c_attn"], fan_in_fan_out=True)),
    "the layer of the scores": (LLAMA, lora(target_modules=["lm_head", "q_proj"])),
    "modules that are saved whole": (LLAMA, lora(modules_to_save=["embed_tokens", "lm_head"])),
    "LoRA of a classifier": (BERT, lora(task_type="SEQ_CLS")),
    "all dense layers of a classifier": (BERT, lora(task_type="SEQ_CLS", target_modules="all-linear", bias="lora_only")),
    "(IA)3 of Llama": (LLAMA, peft.IA3Config(task_type="CAUSAL_LM")),
    "(IA)3 of GPT-2": (GPT2, peft.IA3Config(task_type="CAUSAL_LM", fan_in_fan_out=True)),
    "(IA)3 of a classifier": (BERT, peft.IA3Config(task_type="SEQ_CLS")),
    "a prompt of Llama": (LLAMA, prompt()),
    "a prompt of GPT-2": (GPT2, prompt()),
    "a prompt of a classifier": (BERT, prompt("SEQ_CLS")),
    "a prefix of Llama": (LLAMA, prefix()),
    "a prefix of GPT-2": (GPT2, prefix()),
    "a prefix of Qwen2": (QWEN, prefix()),
}


def padded_ids(vocabulary):
    """Token ids, the second row two tokens shorter and filled up with token 1, and the mask."""
    mask = torch.ones(BATCH, TIME, dtype=torch.long)
    mask[1, -2:] = 0
    return torch.where(mask == 1, integers("ids", (BATCH, TIME), vocabulary), 1), mask


def trained(model):
    """Names of the parameters that are trained, as files have them, without the `.weight` that not all have there."""
    parts = (".modules_to_save", ".default", "prompt_encoder.embedding")
    names = set()
    for name, parameter in model.named_parameters():
        for part in parts:
            name = name.replace(part, "prompt_embeddings" if part.startswith("prompt") else "")
        if parameter.requires_grad:
            names.add(name.removesuffix(".weight"))
    return names


def record(config, adapter):
    base, _ = reload(config)
    ids, mask = padded_ids(config["vocab_size"])
    own = {name: value.clone() for name, value in base.state_dict().items()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "adapter_model.safetensors"
        adapted = peft.get_peft_model(base, adapter)
        adapted.save_pretrained(folder)
        fields = json.loads((Path(folder) / "adapter_config.json").read_text())
        learned = trained(adapted)
        file = load_file(path)
        tensors = {
            name: filled(name, value.shape) if name.removesuffix(".weight") in learned else value
            for name, value in file.items()
        }
        save_file(tensors, path, {"format": "pt"})
        base, _ = reload(config)
        adapted = peft.PeftModel.from_pretrained(base, folder).eval()
        outputs = adapted(input_ids=ids, attention_mask=mask).logits
        adapted.save_pretrained(folder)
        again = load_file(path)
    assert again.keys() == tensors.keys() and all(torch.equal(again[name], tensors[name]) for name in tensors)
    # Weights of the base that PEFT writes beside an adapter of an embedding.
    kept = {
        name: next(key for key, one in own.items() if one.shape == value.shape and torch.equal(one, value))
        for name, value in tensors.items()
        if value is file[name]
    }
    fields["base_model_name_or_path"] = "base"
    for name in ("target_modules", "exclude_modules", "feedforward_modules"):
        # Sets, whose order changes from run to run.
        if isinstance(fields.get(name), list):
            fields[name] = sorted(fields[name])
    data = [float(f"{number:.6g}") for number in outputs.flatten().tolist()]
    return {
        "fields": fields,
        "tensors": {name: list(value.shape) for name, value in sorted(tensors.items())},
        "kept": kept,
        "output": {"shape": list(outputs.shape), "data": data},
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    known = json.loads((FIXTURES / "models" / "transformers.json").read_text())["models"]
    configs = {name: known[name]["config"] for name in (GPT2, LLAMA, QWEN, BERT)}
    cases = {name: {"model": model, **record(configs[model], adapter)} for name, (model, adapter) in CASES.items()}
    header = {"script": "scripts/record-peft-fixtures.py", "torch": torch.__version__, "peft": peft.__version__}
    lines = lambda own: ",\n".join(f"    {json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in own.items())
    path = FIXTURES / "train" / "peft.json"
    path.write_text(
        f'{{\n  "header": {json.dumps(header)},\n  "configs": {{\n{lines(configs)}\n  }},\n  "cases": {{\n{lines(cases)}\n  }}\n}}\n'
    )
