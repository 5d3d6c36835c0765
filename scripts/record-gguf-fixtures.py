"""Records GGUF files and what their blocks stand for into test/fixtures/gguf/.

Run from the repository's root with PyTorch, transformers and the gguf package of llama.cpp: python scripts/record-gguf-fixtures.py
Blocks are random bytes, or random numbers that the package packs; it unpacks both. The files hold small models whose weights `uniform` gives,
written as llama.cpp's converter writes them; the logits are those of Hugging Face's library for the unpacked weights.
"""
import base64
import importlib
import json
from pathlib import Path

import numpy as np
import torch
import transformers
from gguf import GGMLQuantizationType, GGUFWriter, quants

from recording import filled

families = importlib.import_module("record-family-fixtures")
TARGET = Path(__file__).parent.parent / "test" / "fixtures" / "gguf"

BLOCK_BYTES = dict(Q2_K=84, Q3_K=110, Q4_K=144, Q5_K=176, Q6_K=210)
PACKED = ("F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0")


def blocks():
    random = np.random.default_rng(0)
    recorded = {}
    for name in (*PACKED, *BLOCK_BYTES):
        kind = getattr(GGMLQuantizationType, name)
        if name in BLOCK_BYTES:
            packed = random.integers(0, 256, (2, BLOCK_BYTES[name]), dtype=np.uint8)
            # Scales of ordinary size, in the places where the format has half floats.
            halves = {"Q2_K": (80, 82), "Q3_K": (108,), "Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208,)}[name]
            for at in halves:
                packed[:, at : at + 2] = random.uniform(-1, 1, (2, 1)).astype(np.float16).view(np.uint8)
        else:
            packed = quants.quantize(random.standard_normal((2, 64)).astype(np.float32), kind)
        values = quants.dequantize(packed, kind).astype(np.float32)
        recorded[name] = {
            "bytes": base64.b64encode(packed.tobytes()).decode(),
            "values": base64.b64encode(values.tobytes()).decode(),
        }
    return recorded


LAYER = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
OUTER = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}


def gguf_name(name):
    owner, kind = name.rsplit(".", 1)
    if owner in OUTER:
        return f"{OUTER[owner]}.{kind}"
    _, _, layer, inner = owner.split(".", 3)
    return f"blk.{layer}.{LAYER[inner]}.{kind}"


def together(weights, heads):
    """Rows as files of the architecture llama have them: the features that a position turns together beside one another."""
    return weights.reshape(heads, 2, -1, weights.shape[1]).swapaxes(1, 2).reshape(weights.shape)


def apart(weights, heads):
    return weights.reshape(heads, -1, 2, weights.shape[1]).swapaxes(1, 2).reshape(weights.shape)


def model(name, config, architecture, types):
    """Writes a file, and gives the logits of the model that it holds."""
    built, tensors = families.build(config)
    settings = built.config
    writer = GGUFWriter(TARGET / f"{name}.gguf", architecture)
    writer.add_block_count(settings.num_hidden_layers)
    writer.add_context_length(settings.max_position_embeddings)
    writer.add_embedding_length(settings.hidden_size)
    writer.add_feed_forward_length(settings.intermediate_size)
    writer.add_head_count(settings.num_attention_heads)
    writer.add_head_count_kv(settings.num_key_value_heads)
    writer.add_layer_norm_rms_eps(settings.rms_norm_eps)
    writer.add_rope_freq_base(settings.rope_theta)
    if architecture == "qwen3":
        writer.add_key_length(settings.head_dim)
    writer.add_token_list([f"word{i}" for i in range(settings.vocab_size)])
    for i, (key, value) in enumerate(tensors.items()):
        own = filled(key, value.shape).numpy()
        heads = {"q_proj.weight": settings.num_attention_heads, "k_proj.weight": settings.num_key_value_heads}
        turned = next((count for end, count in heads.items() if key.endswith(end) and architecture == "llama"), None)
        stored = own if turned is None else together(own, turned)
        kind = getattr(GGMLQuantizationType, types[i % len(types)] if own.ndim == 2 else "F32")
        packed = quants.quantize(np.ascontiguousarray(stored), kind)
        writer.add_tensor(gguf_name(key), packed, raw_dtype=kind)
        read = quants.dequantize(packed, kind).reshape(own.shape)
        value.copy_(torch.from_numpy(read if turned is None else apart(read, turned)))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return families.numbers(built(families.text()["plain"]["input_ids"]).logits)


SIZES = dict(vocab_size=13, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2)
SIZES |= dict(intermediate_size=64, max_position_embeddings=48)

if __name__ == "__main__":
    torch.set_grad_enabled(False)
    TARGET.mkdir(parents=True, exist_ok=True)
    llama = families.config("LlamaForCausalLM", "llama", SIZES)
    qwen2 = families.config("Qwen2ForCausalLM", "qwen2", SIZES, tie_word_embeddings=True)
    qwen3 = families.config("Qwen3ForCausalLM", "qwen3", SIZES, head_dim=16)
    logits = {
        "llama": model("llama", llama, "llama", ("Q8_0", "Q4_0", "F16")),
        "qwen2": model("qwen2", qwen2, "qwen2", ("Q5_1", "Q8_0")),
        "qwen3": model("qwen3", qwen3, "qwen3", ("Q8_0", "BF16")),
    }
    header = {"script": "scripts/record-gguf-fixtures.py", "transformers": transformers.__version__}
    (TARGET / "recorded.json").write_text(json.dumps({"header": header, "blocks": blocks(), "logits": logits}) + "\n")
