#!/usr/bin/env python3
"""Makes fixtures/parameters.json: what transformers makes of each configuration, counted exactly.

    make_fixtures.py MODEL_CONFIGS.json

Each model is put together on PyTorch's meta device, where tensors have a shape but no memory. Of the published
models we keep the number of parameters by component; of the small ones in variants.json also each tensor's
name and shape. MODEL_CONFIGS.json is {"models": [{"id", "config", "parameters" (of some)}]}; the integers that it
has been given from outside go into the fixture as they are ("published").
"""
import collections
import json
import math
import pathlib
import re
import sys

import torch
import transformers
from transformers.modeling_utils import no_init_weights

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
# The same tensors under another name, which transformers does not know.
SAME = {"kimi_k2": "deepseek_v3"}

# The first pattern that is found in a tensor's name decides. A norm of the residual stream is known by how the
# name ends; norms of queries, keys and latents are none and belong to attention.
COMPONENTS = [
    ("vision", r"vision_tower|multi_modal_projector"),
    ("router", r"e_score_correction_bias|mlp\.gate\.weight|block_sparse_moe\.gate\.|mlp\.router\."),
    ("lm_head", r"^lm_head\.|^embed_out\.|^cls\.|^score\.|^classifier\."),
    ("pooler", r"pooler"),
    ("pos", r"wpe|embed_positions|position_embeddings|token_type_embeddings|relative_attention_bias"),
    ("norm", r"(^|\.)(ln_\w+|(input|post|pre|final)_?\w*layernorm|word_embeddings_layernorm|(self_attn|final)_layer_norm"
             r"|layer_norm|LayerNorm|norm)\.(weight|bias)$"),
    ("embed", r"wte|word_embeddings|embed_tokens|embed_in|^shared\.|project_in|project_out"),
    ("shared", r"shared_expert"),
    ("experts", r"experts"),
    ("attn", r"attn|attention|Attention"),
    ("mlp", r"mlp|fc1|fc2|DenseReluDense|(intermediate|output)\.dense"),
]


def component(name):
    for word, pattern in COMPONENTS:
        if re.search(pattern, name):
            return word
    raise SystemExit(f"no component for {name}")


def short(name):
    """Without the layer's and the expert's number: self_attn.q_proj.weight"""
    if "vision_tower" in name:
        return name.replace(re.search(r"\.layers\.\d+|$", name)[0], ".layers" if ".layers." in name else "")
    name = re.sub(r"experts\.\d+\.", "experts.", name)
    return re.sub(r"^.*?\.?(layers|layer|block|h)\.\d+\.", "", name, count=1)


def build(config):
    config = dict(config)
    kind = config.pop("model_type")
    settings = transformers.AutoConfig.for_model(SAME.get(kind, kind), **config)
    made = getattr(transformers, config.get("architectures", ["GPT2LMHeadModel"])[0])
    with torch.device("meta"), no_init_weights():
        model = made(settings)
    model.tie_weights()
    return model


def tensors(model):
    """(name, shape) of each parameter, shared ones once. DeepSeek's router bias is trained, if not by gradients."""
    found = list(model.named_parameters())
    found += [(name, t) for name, t in model.named_buffers() if name.endswith("e_score_correction_bias")]
    base = rf"^({model.base_model_prefix}|model)\."    # Gemma3ForCausalLM has a wrong one
    return [(re.sub(base, "", name), list(t.shape)) for name, t in found]


def windows(settings):
    """What each layer of a decoder sees; 0: all."""
    settings = settings.get_text_config()
    size = getattr(settings, "sliding_window", None) or 0
    count = settings.num_hidden_layers
    if getattr(settings, "layer_types", None):
        return [size if kind == "sliding_attention" else 0 for kind in settings.layer_types]
    if settings.model_type == "qwen2_moe":
        return [size if i >= settings.max_window_layers else 0 for i in range(count)]
    return [size] * count


def counted(model):
    sums = collections.Counter()
    for name, shape in tensors(model):
        sums[component(name)] += math.prod(shape)
    if sums["experts"] and sums["mlp"]:    # a model with experts calls its other MLPs so
        sums["dense_mlp"] = sums.pop("mlp")
    return {"total": sum(sums.values()), "components": {k: v for k, v in sums.items() if v}}


def detailed(model):
    found = collections.Counter((short(name), tuple(shape)) for name, shape in tensors(model))
    result = counted(model)
    result["windows"] = windows(model.config)
    result["tensors"] = [[name, list(shape), times] for (name, shape), times in sorted(found.items())]
    return result


def write(result):
    """A model a line, so that a difference is seen."""
    parts = []
    for key, value in result.items():
        if isinstance(value, dict):
            lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(model)}" for name, model in value.items())
            parts.append(f"{json.dumps(key)}: {{\n{lines}}}")
        else:
            parts.append(f"{json.dumps(key)}: {json.dumps(value)}")
    (FIXTURES / "parameters.json").write_text("{\n" + ",\n".join(parts) + "}\n")


def main():
    models = json.load(open(sys.argv[1]))["models"]
    variants = json.load(open(FIXTURES / "variants.json"))["variants"]
    result = {"transformers": transformers.__version__, "published": {}, "models": {}, "variants": {}}
    for model in models:
        name, config = model["id"].split(" (")[0], model["config"]
        if "parameters" in model:
            result["published"][name] = model["parameters"]
        if SAME.get(config["model_type"], config["model_type"]) in transformers.CONFIG_MAPPING:
            result["models"][name] = counted(build(config))
        else:
            print("transformers does not know", config["model_type"], "of", name)
    for name, config in variants.items():
        result["variants"][name] = detailed(build(config))
    write(result)


if __name__ == "__main__":
    main()
