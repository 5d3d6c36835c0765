"""Records outputs and parameter names of Hugging Face's transformers into test/fixtures/models/transformers.json.

The Transformer of 2017, which the library lacks, is PyTorch's nn.Transformer between embeddings written out here.

Run from the repository's root with Python 3.11 and the libraries: pip install torch==2.13.0 transformers==5.18.0
python scripts/record-transformer-fixtures.py
Each model is saved, its file filled with numbers by `uniform` under the names that the library publishes, and loaded
again. Weights, ids and images are no record: both sides compute them (src/models/testing/fill.ts).
"""
import json
import math
from pathlib import Path

import torch
import transformers
from torch import nn

from checkpoints import reload
from recording import digest, filled, integers, uniform

TARGET = Path(__file__).parent.parent / "test" / "fixtures" / "models" / "transformers.json"
BATCH, TIME, TARGET_TIME = 2, 7, 5


def numbers(output):
    return {"shape": list(output.shape), "data": [float(f"{number:.7g}") for number in output.flatten().tolist()]}


def result(output):
    """The first output, and where there is one that of the sentence or image."""
    if "start_logits" in output:  # The two columns of question answering.
        return {"output": numbers(torch.stack([output["start_logits"], output["end_logits"]], -1))}
    main = next(output[key] for key in ("logits", "prediction_logits", "last_hidden_state") if key in output)
    pooled = next((output[key] for key in ("pooler_output", "seq_relationship_logits") if key in output), None)
    return {"output": numbers(main), **({} if pooled is None else {"pooled": numbers(pooled)})}


def record(config):
    model, shapes = reload(config)
    runs = {}
    if config["model_type"] == "vit":
        side = config["image_size"]
        runs["plain"] = result(model(2 * uniform("input", (BATCH, config["num_channels"], side, side)) - 1))
        return {"config": config, "names": digest(shapes), "runs": runs}
    vocabulary = config["vocab_size"]
    ids = integers("ids", (BATCH, TIME), vocabulary)
    inputs = {}
    if config["model_type"] == "t5" and config["architectures"] != ["T5EncoderModel"]:
        inputs["decoder_input_ids"] = integers("decoder", (BATCH, TARGET_TIME), vocabulary)
    runs["plain"] = result(model(ids, **inputs))
    # The second sequence is two tokens shorter and filled up with token 1.
    mask = torch.ones(BATCH, TIME, dtype=torch.long)
    mask[1, -2:] = 0
    padded = torch.where(mask == 1, ids, 1)
    if config["model_type"] in ("bert", "albert"):
        inputs["token_type_ids"] = integers("types", (BATCH, TIME), 2)
    runs["masked"] = result(model(padded, attention_mask=mask, **inputs))
    return {"config": config, "names": digest(shapes), "runs": runs}


class Transformer(nn.Module):
    """The Transformer of 2017: nn.Transformer without the norms behind its stacks, which the paper does not have."""

    def __init__(self, vocabulary, width, heads, layers, inner):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        core = nn.Transformer(width, heads, layers, layers, inner, batch_first=True)
        self.encoder, self.decoder = core.encoder, core.decoder
        self.encoder.norm = self.decoder.norm = None

    def embed(self, ids):
        width = self.embedding.embedding_dim
        position = torch.arange(ids.shape[1])[:, None]
        angle = position / 10_000 ** (torch.arange(0, width, 2) / width)
        encoding = torch.stack([angle.sin(), angle.cos()], -1).flatten(1)
        return self.embedding(ids) * math.sqrt(width) + encoding

    def forward(self, ids, decoder, mask=None):
        hidden = None if mask is None else mask == 0
        memory = self.encoder(self.embed(ids), src_key_padding_mask=hidden)
        length = decoder.shape[1]
        later = torch.ones(length, length, dtype=torch.bool).triu(1)
        states = self.decoder(self.embed(decoder), memory, tgt_mask=later, memory_key_padding_mask=hidden)
        return states @ self.embedding.weight.T


def record_transformer():
    model = Transformer(31, 16, 4, 2, 24).eval()
    shapes = {name: tuple(value.shape) for name, value in model.named_parameters()}
    with torch.no_grad():
        for name, value in model.named_parameters():
            value.copy_(filled(name, value.shape))
    ids, decoder = integers("ids", (BATCH, TIME), 31), integers("decoder", (BATCH, TARGET_TIME), 31)
    mask = torch.ones(BATCH, TIME, dtype=torch.long)
    mask[1, -2:] = 0
    padded = torch.where(mask == 1, ids, 1)
    runs = {"plain": {"output": numbers(model(ids, decoder))}, "masked": {"output": numbers(model(padded, decoder, mask))}}
    return {"names": digest(shapes), "runs": runs}


def preset_names(config):
    """Names and shapes at full size, without weights. No preset's differ between the library and its files."""
    (name,) = config["architectures"]
    fields = {key: value for key, value in config.items() if key not in ("model_type", "architectures")}
    with torch.device("meta"):
        model = getattr(transformers, name)(transformers.AutoConfig.for_model(config["model_type"], **fields))
    shapes = {key: tuple(value.shape) for key, value in model.named_parameters()}
    if config["model_type"] == "t5" and config.get("tie_word_embeddings") is False:
        shapes["lm_head.weight"] = shapes["shared.weight"]
    return shapes


BERT = dict(vocab_size=31, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=24)
BERT |= dict(max_position_embeddings=12)
LLAMA = dict(BERT, num_key_value_heads=2, max_position_embeddings=64, pad_token_id=0)
DISTILBERT = dict(vocab_size=31, dim=16, n_layers=2, n_heads=4, hidden_dim=24, max_position_embeddings=12)
GPT2 = dict(vocab_size=31, n_embd=16, n_layer=2, n_head=4, n_positions=12, bos_token_id=0, eos_token_id=0)
T5 = dict(vocab_size=31, d_model=16, d_kv=6, d_ff=24, num_layers=2, num_decoder_layers=3, num_heads=4)
T5 |= dict(relative_attention_num_buckets=8, relative_attention_max_distance=6, decoder_start_token_id=0)
VIT = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=24, image_size=12)
VIT |= dict(patch_size=4, num_channels=3)
LLAMA3 = dict(rope_type="llama3", factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0)
LLAMA3 |= dict(original_max_position_embeddings=16)


def config(name, model_type, fields, **more):
    return {"model_type": model_type, "architectures": [name], **fields, **more}


def tiny():
    heads = ("Model", "ForMaskedLM", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering")
    labels = dict(num_labels=3)
    albert = dict(BERT, embedding_size=8, num_hidden_layers=3)
    roberta = dict(BERT, max_position_embeddings=14)
    for head in (*heads, "ForPreTraining"):
        yield f"Bert{head}", config(f"Bert{head}", "bert", BERT, **labels if "Class" in head else {})
    for head in heads:
        more = labels if "Class" in head else {}
        yield f"Roberta{head}", config(f"Roberta{head}", "roberta", roberta, **more)
        yield f"DistilBert{head}", config(f"DistilBert{head}", "distilbert", DISTILBERT, **more)
        yield f"Albert{head}", config(f"Albert{head}", "albert", albert, **more)
    yield "Bert, relu", config("BertModel", "bert", BERT, hidden_act="relu", layer_norm_eps=0.1, type_vocab_size=3)
    yield "Albert, two groups", config("AlbertModel", "albert", albert, num_hidden_groups=2, num_hidden_layers=4)
    yield "GPT2Model", config("GPT2Model", "gpt2", GPT2)
    yield "GPT2LMHeadModel", config("GPT2LMHeadModel", "gpt2", GPT2, n_inner=24, activation_function="gelu")
    yield "T5Model", config("T5Model", "t5", T5)
    yield "T5EncoderModel", config("T5EncoderModel", "t5", T5)
    yield "T5ForConditionalGeneration", config("T5ForConditionalGeneration", "t5", T5)
    flan = dict(feed_forward_proj="gated-gelu", tie_word_embeddings=False)
    yield "T5, version 1.1", config("T5ForConditionalGeneration", "t5", T5, **flan)
    yield "LlamaModel", config("LlamaModel", "llama", LLAMA)
    yield "LlamaForCausalLM", config("LlamaForCausalLM", "llama", LLAMA, rope_theta=500000.0)
    odd = dict(attention_bias=True, mlp_bias=True, head_dim=8, num_key_value_heads=1, tie_word_embeddings=True)
    yield "Llama, biases", config("LlamaForCausalLM", "llama", LLAMA, **odd)
    yield "Llama, llama3 scaling", config("LlamaModel", "llama", LLAMA, rope_scaling=LLAMA3, head_dim=16)
    linear = dict(rope_scaling=dict(rope_type="linear", factor=2.0))
    yield "Llama, linear scaling", config("LlamaModel", "llama", LLAMA, **linear)
    yield "MistralModel", config("MistralModel", "mistral", LLAMA, sliding_window=3)
    yield "MistralForCausalLM", config("MistralForCausalLM", "mistral", LLAMA, sliding_window=None)
    yield "Qwen2Model", config("Qwen2Model", "qwen2", LLAMA)
    yield "Qwen2ForCausalLM", config("Qwen2ForCausalLM", "qwen2", LLAMA, tie_word_embeddings=True)
    window = dict(use_sliding_window=True, sliding_window=3, max_window_layers=1)
    yield "Qwen2, windows", config("Qwen2Model", "qwen2", LLAMA, **window)
    yield "ViTModel", config("ViTModel", "vit", VIT)
    yield "ViTForImageClassification", config("ViTForImageClassification", "vit", VIT, **labels)


LARGE = dict(hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, intermediate_size=4096)
ALBERT = dict(hidden_size=768, num_attention_heads=12, intermediate_size=3072)
FLAN = dict(d_ff=1024, num_layers=8, num_heads=6, feed_forward_proj="gated-gelu", tie_word_embeddings=False)
LLAMA_13B = dict(hidden_size=5120, num_hidden_layers=40, num_attention_heads=40, intermediate_size=13824)
LLAMA3_8B = dict(vocab_size=128256, intermediate_size=14336, num_key_value_heads=8, max_position_embeddings=8192)
QWEN = dict(hidden_size=896, num_hidden_layers=24, num_attention_heads=14, num_key_value_heads=2)
QWEN |= dict(intermediate_size=4864, rope_theta=1000000.0, tie_word_embeddings=True)
GPT3 = dict(n_embd=12288, n_layer=96, n_head=96, n_positions=2048)
GPT2_SIZES = dict(gpt2={}, gpt2_medium=dict(n_embd=1024, n_layer=24, n_head=16))
GPT2_SIZES |= dict(gpt2_large=dict(n_embd=1280, n_layer=36, n_head=20), gpt2_xl=dict(n_embd=1600, n_layer=48, n_head=25))
LLAMA2 = dict(max_position_embeddings=4096, rms_norm_eps=1e-5)
# What the published files say beyond the library's defaults.
PRESETS = {
    "bert_base_uncased": config("BertModel", "bert", {}),
    "bert_base_cased": config("BertModel", "bert", dict(vocab_size=28996)),
    "bert_large_uncased": config("BertModel", "bert", LARGE),
    "distilbert_base_uncased": config("DistilBertModel", "distilbert", {}),
    "albert_base_v2": config("AlbertModel", "albert", ALBERT),
    **{name: config("GPT2LMHeadModel", "gpt2", size) for name, size in (GPT2_SIZES | dict(gpt3_175b=GPT3)).items()},
    "t5_small": config("T5ForConditionalGeneration", "t5", {}),
    "flan_t5_small": config("T5ForConditionalGeneration", "t5", FLAN),
    "llama2_7b": config("LlamaForCausalLM", "llama", LLAMA2),
    "llama2_13b": config("LlamaForCausalLM", "llama", LLAMA2, **LLAMA_13B),
    "llama3_8b": config("LlamaForCausalLM", "llama", LLAMA3_8B, rms_norm_eps=1e-5, rope_theta=500000.0),
    "qwen2_5_0_5b": config("Qwen2ForCausalLM", "qwen2", QWEN),
}


def record_buckets():
    bucket = transformers.models.t5.modeling_t5.T5Attention._relative_position_bucket
    distance = torch.arange(-600, 601)
    rules = [(True, 32, 128), (False, 32, 128), (True, 20, 100), (False, 8, 50)]
    return [
        {"both": both, "buckets": count, "farthest": far, "found": bucket(distance, both, count, far).tolist()}
        for both, count, far in rules
    ]


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    torch.backends.mha.set_fastpath_enabled(False)
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    header = {"script": "scripts/record-transformer-fixtures.py", **versions}
    models = {name: record(fields) for name, fields in tiny()}
    models["Transformer"] = record_transformer()
    presets = {}
    for name, fields in PRESETS.items():
        shapes = preset_names(fields)
        total = sum(math.prod(shape) for shape in shapes.values())
        presets[name] = {"config": fields, "names": digest(shapes), "parameters": total}
    entries = lambda items: ",\n".join(f"    {json.dumps(key)}: {json.dumps(value)}" for key, value in items.items())
    TARGET.write_text(
        f'{{\n  "header": {json.dumps(header)},\n  "models": {{\n{entries(models)}\n  }},\n'
        f'  "presets": {{\n{entries(presets)}\n  }},\n  "buckets": {json.dumps(record_buckets())}\n}}\n'
    )
