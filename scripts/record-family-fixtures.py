"""Records outputs and parameter names of the families of Hugging Face's transformers into test/fixtures/models/families/.

Run from the repository's root with PyTorch and the library, one file a group, default all:
python scripts/record-family-fixtures.py [decoders …]
The families that record-transformer-fixtures.py records are not repeated. Each model is filled with numbers by `uniform` under the names
that it publishes. Weights, ids and images are no record: both sides compute them (src/models/testing/fill.ts).
"""
import json
import re
import sys
from pathlib import Path

import torch
import transformers

from recording import digest, filled, integers, signed, uniform

TARGET = Path(__file__).parent.parent / "test" / "fixtures" / "models" / "families"
BATCH, TIME, TARGET_TIME, VOCABULARY = 2, 7, 5, 13


def numbers(output):
    return {"shape": list(output.shape), "data": [float(f"{number:.6g}") for number in output.flatten().tolist()]}


def build(config):
    """The model of a config.json, and the tensors that its file holds: each of those that are tied once, under its first name."""
    (name,) = config["architectures"]
    fields = {key: value for key, value in config.items() if key not in ("model_type", "architectures")}
    settings = transformers.AutoConfig.for_model(config["model_type"], **fields)
    settings._attn_implementation = "eager"
    model = getattr(transformers, name)(settings)
    kept = set(model.state_dict())
    unsaved = [re.compile(pattern) for pattern in getattr(model, "_keys_to_ignore_on_save", None) or ()]
    if config["model_type"] == "marian":  # Sinusoids, which the class with scores leaves out of its file too.
        unsaved.append(re.compile("embed_positions"))
    tensors = {key: value for key, value in [*model.named_parameters(), *model.named_buffers()] if key in kept}
    tensors = {
        key: value
        for key, value in tensors.items()
        if not key.endswith(("num_batches_tracked", "relative_position_index")) and not any(pattern.search(key) for pattern in unsaved)
    }
    return model.eval(), tensors


def result(output, keys):
    if "start_logits" in output:  # The two columns of question answering.
        return [numbers(torch.stack([output["start_logits"], output["end_logits"]], -1))]
    if keys:
        return [numbers(output[key]) for key in keys]
    main = next(output[key] for key in ("logits", "last_hidden_state") if key in output)
    pooled = output["pooler_output"] if output.get("pooler_output") is not None else None
    return [numbers(main)] + ([] if pooled is None else [numbers(pooled.flatten(1))])


def text(decoder=False, types=False, **more):
    """Inputs of a model of tokens: whole sequences, and with a second one that is two tokens shorter and filled up with token 1."""
    ids = integers("ids", (BATCH, TIME), VOCABULARY)
    both = {"decoder_input_ids": integers("decoder", (BATCH, TARGET_TIME), VOCABULARY)} if decoder else {}
    mask = torch.ones(BATCH, TIME, dtype=torch.long)
    mask[1, -2:] = 0
    segments = {"token_type_ids": integers("types", (BATCH, TIME), 2)} if types else {}
    padded = {"input_ids": torch.where(mask == 1, ids, 1), "attention_mask": mask, **both, **segments}
    return {"plain": {"input_ids": ids, **both}, "masked": padded}


def record(config, inputs, keys=()):
    model, tensors = build(config)
    for key, value in tensors.items():
        value.copy_(filled(key, value.shape))
    runs = {run: result(model(**given), keys) for run, given in inputs.items()}
    return {"config": config, "names": digest({key: value.shape for key, value in tensors.items()}), "runs": runs}


def config(name, model_type, fields, **more):
    return {"model_type": model_type, "architectures": [name], **fields, **more}


SIZES = dict(vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, intermediate_size=24)
SIZES |= dict(max_position_embeddings=32, pad_token_id=1)
GROUPED = dict(SIZES, num_key_value_heads=2)


def heads(prefix, model_type, fields, names, **more):
    """A case for each head, those that classify with three labels."""
    for head in names:
        labels = dict(num_labels=3) if "Classification" in head else {}
        yield f"{prefix}{head}", config(f"{prefix}{head}", model_type, fields, **labels, **more), text()


CAUSAL = ("Model", "ForCausalLM", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering")


def decoders():
    yield from heads("Llama", "llama", GROUPED, CAUSAL[2:4])
    yield "LlamaForQuestionAnswering", config("LlamaForQuestionAnswering", "llama", GROUPED), text()
    yield from heads("Mistral", "mistral", GROUPED, CAUSAL[2:], sliding_window=3)
    yield from heads("Qwen2", "qwen2", GROUPED, CAUSAL[2:4])
    qwen3 = dict(GROUPED, head_dim=6)
    yield from heads("Qwen3", "qwen3", qwen3, CAUSAL[:4])
    yield "Qwen3, tied", config("Qwen3ForCausalLM", "qwen3", qwen3, tie_word_embeddings=True, attention_bias=True), text()
    experts = dict(moe_intermediate_size=8, num_experts=4, num_experts_per_tok=2)
    yield "Qwen3Moe", config("Qwen3MoeForCausalLM", "qwen3_moe", qwen3, **experts), text()
    sparse = dict(experts, norm_topk_prob=True, mlp_only_layers=[1])
    yield "Qwen3Moe, some dense", config("Qwen3MoeModel", "qwen3_moe", qwen3, **sparse), text()
    yield from heads("Mixtral", "mixtral", GROUPED, CAUSAL[:3], num_local_experts=4)
    yield from heads("Gemma", "gemma", GROUPED, CAUSAL[:4], head_dim=6)
    gemma2 = dict(GROUPED, head_dim=6, sliding_window=3, query_pre_attn_scalar=8, attn_logit_softcapping=0.5)
    yield from heads("Gemma2", "gemma2", gemma2, CAUSAL[:4], final_logit_softcapping=0.7)
    gemma3 = dict(GROUPED, head_dim=6, sliding_window=3, query_pre_attn_scalar=8, sliding_window_pattern=2)
    yield "Gemma3TextModel", config("Gemma3TextModel", "gemma3_text", gemma3), text()
    scaled = dict(rope_scaling=dict(rope_type="linear", factor=8.0))
    yield "Gemma3ForCausalLM", config("Gemma3ForCausalLM", "gemma3_text", gemma3, **scaled), text()
    yield from heads("Phi", "phi", GROUPED, CAUSAL[:4])
    yield "Phi, normalized", config("PhiForCausalLM", "phi", SIZES, qk_layernorm=True, partial_rotary_factor=1.0), text()
    yield from heads("Phi3", "phi3", GROUPED, CAUSAL[:4], sliding_window=3)
    smol = dict(GROUPED, no_rope_layers=[1, 0], pad_token_id=1)
    yield "SmolLM3", config("SmolLM3ForCausalLM", "smollm3", smol), text()
    opt = dict(SIZES, ffn_dim=24, word_embed_proj_dim=16)
    yield from heads("OPT", "opt", opt, ("Model", "ForCausalLM", "ForSequenceClassification", "ForQuestionAnswering"))
    behind = dict(do_layer_norm_before=False, word_embed_proj_dim=8, enable_bias=True)
    yield "OPT, norms behind", config("OPTForCausalLM", "opt", opt, **behind), text()
    bloom = dict(vocab_size=VOCABULARY, hidden_size=18, n_layer=2, n_head=6, pad_token_id=1)
    yield from heads("Bloom", "bloom", bloom, CAUSAL)
    neo = dict(vocab_size=VOCABULARY, hidden_size=16, num_layers=2, num_heads=4, intermediate_size=24, window_size=3)
    neo |= dict(attention_types=[[["global", "local"], 1]], max_position_embeddings=32, pad_token_id=1)
    yield from heads("GPTNeo", "gpt_neo", neo, CAUSAL)
    neox = dict(SIZES, rotary_pct=0.5)
    yield from heads("GPTNeoX", "gpt_neox", neox, CAUSAL)
    serial = dict(use_parallel_residual=False, attention_bias=False, rotary_pct=1.0, tie_word_embeddings=True)
    yield "GPTNeoX, serial", config("GPTNeoXForCausalLM", "gpt_neox", neox, **serial), text()
    gptj = dict(vocab_size=VOCABULARY, n_embd=16, n_layer=2, n_head=2, n_positions=32, rotary_dim=4, pad_token_id=1)
    yield from heads("GPTJ", "gptj", gptj, ("Model", "ForCausalLM", "ForSequenceClassification", "ForQuestionAnswering"))
    falcon = dict(vocab_size=VOCABULARY, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, pad_token_id=1)
    yield from heads("Falcon", "falcon", falcon, CAUSAL)
    newer = dict(new_decoder_architecture=True, num_kv_heads=2)
    yield "Falcon, newer", config("FalconForCausalLM", "falcon", falcon, **newer), text()
    older = dict(alibi=True, parallel_attn=False, multi_query=False, bias=True)
    # The library's eager attention adds the biases twice, unless it is given a mask of heads.
    every = {run: dict(given, head_mask=torch.ones(2, 4)) for run, given in text().items()}
    yield "Falcon, alibi", config("FalconForCausalLM", "falcon", falcon, **older), every
    gpt2 = dict(vocab_size=VOCABULARY, n_embd=16, n_layer=2, n_head=4, n_positions=12, pad_token_id=1)
    yield from heads("GPT2", "gpt2", gpt2, CAUSAL[2:])


BART = dict(vocab_size=VOCABULARY, d_model=16, encoder_layers=2, encoder_attention_heads=4, encoder_ffn_dim=24)
BART |= dict(decoder_layers=1, decoder_attention_heads=2, decoder_ffn_dim=20, max_position_embeddings=32)
BART |= dict(pad_token_id=1, bos_token_id=0, eos_token_id=2, decoder_start_token_id=2)


def ended(given):
    """Ids of which each sequence has one token 2, which ends it."""
    ids = given["input_ids"].clone()
    ids[ids == 2] = 3
    real = given.get("attention_mask", torch.ones_like(ids)) == 1
    ids[real & (ids == 1)] = 4  # No text holds the token that fills it up.
    ids[0, -1], ids[1, -3] = 2, 2
    return dict(given, input_ids=ids)


def translators():
    both = text(decoder=True)
    last = {f"{run}, ended": ended(given) for run, given in text().items()}
    for prefix, family in (("Bart", "bart"), ("MBart", "mbart")):
        yield f"{prefix}Model", config(f"{prefix}Model", family, BART), both
        yield f"{prefix}ForConditionalGeneration", config(f"{prefix}ForConditionalGeneration", family, BART), both
        yield f"{prefix}ForSequenceClassification", config(f"{prefix}ForSequenceClassification", family, BART), last
        answers = config(f"{prefix}ForQuestionAnswering", family, BART, num_labels=2)
        yield f"{prefix}ForQuestionAnswering", answers, text()
    scaled = config("BartForConditionalGeneration", "bart", BART, scale_embedding=True, activation_function="relu")
    yield "Bart, scaled", scaled, both
    t5 = dict(vocab_size=VOCABULARY, d_model=16, d_kv=4, d_ff=24, num_layers=2, num_decoder_layers=1, num_heads=4)
    t5 |= dict(pad_token_id=1, decoder_start_token_id=1, eos_token_id=2)
    for prefix, family in (("T5", "t5"), ("MT5", "mt5")):
        labelled = config(f"{prefix}ForSequenceClassification", family, t5, num_labels=3)
        yield f"{prefix}ForSequenceClassification", labelled, last
        yield f"{prefix}ForTokenClassification", config(f"{prefix}ForTokenClassification", family, t5), text()
        yield f"{prefix}ForQuestionAnswering", config(f"{prefix}ForQuestionAnswering", family, t5), text()
    marian = dict(BART, scale_embedding=True, activation_function="swish")
    yield "MarianModel", config("MarianModel", "marian", marian), both
    yield "MarianMTModel", config("MarianMTModel", "marian", marian), both


ENCODER = ("Model", "ForMaskedLM", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering")


def encoders():
    types = dict(text(), segments=text(types=True)["masked"])
    electra = dict(SIZES, embedding_size=8)
    for name, fields, given in heads("Electra", "electra", electra, ENCODER):
        yield name, fields, types
    yield "ElectraForPreTraining", config("ElectraForPreTraining", "electra", electra), types
    yield "Electra, one width", config("ElectraModel", "electra", SIZES, embedding_size=16), text()
    yield from heads("MPNet", "mpnet", SIZES, ENCODER)
    version3 = dict(SIZES, relative_attention=True, pos_att_type="p2c|c2p", position_buckets=4, share_att_key=True)
    version3 |= dict(norm_rel_ebd="layer_norm", position_biased_input=False, layer_norm_eps=1e-7, pad_token_id=0)
    yield from heads("DebertaV2", "deberta-v2", version3, ENCODER)
    own = dict(version3, share_att_key=False, norm_rel_ebd="none", position_biased_input=True, type_vocab_size=2)
    yield "Deberta, own projections", config("DebertaV2Model", "deberta-v2", own), types
    wide = dict(own, pos_att_type=["c2p"], position_buckets=-1, conv_kernel_size=3, conv_act="gelu")
    yield "Deberta, convolution", config("DebertaV2Model", "deberta-v2", wide), text()
    yield "Deberta, plain", config("DebertaV2Model", "deberta-v2", SIZES), text()


def images(side, channels=3):
    return {"plain": {"pixel_values": signed("input", (BATCH, channels, side, side))}}


def vision():
    sides = dict(image_size=12, patch_size=4, hidden_size=16, num_hidden_layers=2, num_attention_heads=4)
    labels = dict(num_labels=3)
    vit = dict(sides, intermediate_size=24)
    yield "DeiTModel", config("DeiTModel", "deit", vit), images(12)
    for head in ("ForImageClassification", "ForImageClassificationWithTeacher"):
        yield f"DeiT{head}", config(f"DeiT{head}", "deit", vit, **labels), images(12)
    dino = dict(sides, mlp_ratio=2)
    states = ("last_hidden_state",)
    yield "Dinov2Model", config("Dinov2Model", "dinov2", dino), images(12), states
    yield "Dinov2, gated", config("Dinov2Model", "dinov2", dino, use_swiglu_ffn=True, qkv_bias=False), images(12), states
    classified = config("Dinov2ForImageClassification", "dinov2", dino, use_mask_token=False, **labels)
    yield "Dinov2ForImageClassification", classified, images(12)
    swin = dict(image_size=24, patch_size=2, embed_dim=8, depths=[2, 2], num_heads=[2, 4], window_size=3)
    yield "SwinModel", config("SwinModel", "swin", swin), images(24)
    yield "SwinForImageClassification", config("SwinForImageClassification", "swin", swin, **labels), images(24)
    # Windows that do not divide the map, an odd map, and one window in the last stage.
    odd = dict(swin, image_size=21, window_size=4, depths=[2, 1], mlp_ratio=2.0, qkv_bias=False)
    yield "Swin, padded", config("SwinModel", "swin", odd), images(21)
    convnext = dict(image_size=32, patch_size=2, hidden_sizes=[8, 8, 12, 12], depths=[1, 1, 1, 2])
    yield "ConvNextModel", config("ConvNextModel", "convnext", convnext), images(32)
    plain = dict(convnext, layer_scale_init_value=0.0)
    yield "ConvNextForImageClassification", config("ConvNextForImageClassification", "convnext", plain, **labels), images(32)
    resnet = dict(image_size=32, embedding_size=8, hidden_sizes=[8, 16], depths=[1, 2])
    yield "ResNetModel", config("ResNetModel", "resnet", resnet), images(32)
    basic = dict(resnet, layer_type="basic", downsample_in_first_stage=True)
    yield "ResNetForImageClassification", config("ResNetForImageClassification", "resnet", basic, **labels), images(32)
    older = dict(resnet, downsample_in_bottleneck=True)
    yield "ResNet, stride first", config("ResNetForImageClassification", "resnet", older), images(32)
    mobile = dict(image_size=32, depth_multiplier=0.25)
    for version, prefix in (("v1", "MobileNetV1"), ("v2", "MobileNetV2")):
        family, name = f"mobilenet_{version}", f"{prefix}ForImageClassification"
        yield name, config(name, family, mobile, **labels), images(32)
        padded = dict(mobile, tf_padding=False, image_size=35)
        yield f"{prefix}, padding", config(name, family, padded), images(35)


def towers():
    tower = dict(hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4)
    image = dict(tower, image_size=12, patch_size=4)
    words = dict(tower, vocab_size=VOCABULARY, max_position_embeddings=16)
    pairs = ("logits_per_image", "text_embeds", "image_embeds")
    seen = images(12)["plain"]
    both = {run: dict(given, **seen) for run, given in text().items()}
    for prefix, family in (("CLIP", "clip"), ("Siglip", "siglip")):
        # Parts of a model that are alone are built of a config with both towers, as the whole is.
        more = dict(projection_dim=8) if family == "clip" else {}
        fields = dict(text_config=dict(words, **more), vision_config=dict(image, **more), **more)
        yield f"{prefix}Model", config(f"{prefix}Model", family, fields), both, pairs
        name = f"{prefix}ForImageClassification"
        yield name, config(name, family, fields, num_labels=3), {"plain": seen}
    ended = dict(text_config=dict(words, eos_token_id=5), vision_config=image, projection_dim=8)
    yield "CLIP, another end", config("CLIPModel", "clip", ended), both, pairs


def sound():
    fields = {**BART, "num_mel_bins": 8, "max_source_positions": 10, "max_target_positions": 16}
    del fields["max_position_embeddings"]
    given = dict(input_features=signed("input", (BATCH, 8, 20)))
    ids = dict(decoder_input_ids=integers("decoder", (BATCH, TARGET_TIME), VOCABULARY))
    for name in ("WhisperModel", "WhisperForConditionalGeneration"):
        yield name, config(name, "whisper", fields), {"plain": dict(given, **ids)}
    name = "WhisperForAudioClassification"
    yield name, config(name, "whisper", fields, num_labels=3, classifier_proj_size=6), {"plain": given}


GROUPS = {"vision": vision, "towers": towers, "sound": sound, "encoders": encoders, "decoders": decoders, "translators": translators}

if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    TARGET.mkdir(parents=True, exist_ok=True)
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    header = {"script": "scripts/record-family-fixtures.py", **versions}
    for group in sys.argv[1:] or GROUPS:
        models = {name: record(*rest) for name, *rest in GROUPS[group]()}
        entries = ",\n".join(f"    {json.dumps(key)}: {json.dumps(value)}" for key, value in models.items())
        (TARGET / f"{group}.json").write_text(
            f'{{\n  "header": {json.dumps(header)},\n  "models": {{\n{entries}\n  }}\n}}\n'
        )
        print(f"{group}: {len(models)} models")
