#!/usr/bin/env python3
"""Makes fixtures/: small random models as transformers 5.24 writes them, with the logits that it computes.

    make_fixtures.py

Each folder is what save_pretrained() wrote, and expected.safetensors: `ids` [2,9] and their `logits` [2,9,V], computed
in float32 from the weights as they stand in the files. fixtures/rope.json holds further settings of rotary positions
for the weights of fixtures/llama, each as it stands in some published config.json, with its logits.
fixtures/training.safetensors: `ids` [10,4,17], a batch for each step, and the losses [10] of `gpt2` and `llama` before
each of ten steps of AdamW, as PyTorch takes them from the weights of these fixtures.
"""
import json
import pathlib
import shutil
import tempfile

import torch
import transformers
from safetensors.torch import save_file

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
VOCABULARY = 40
SIZES = dict(vocab_size=VOCABULARY, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=32, bos_token_id=1, eos_token_id=2)
GPT2_SIZES = dict(vocab_size=VOCABULARY, n_embd=16, n_layer=2, n_head=2, n_positions=32, bos_token_id=1,
                  eos_token_id=2)

# name: class, configuration, how it is saved
MODELS = {
    "gpt2": ("GPT2", GPT2_SIZES, {}),
    "gpt2_untied": ("GPT2", GPT2_SIZES | dict(tie_word_embeddings=False, n_inner=20, activation_function="gelu"), {}),
    "llama": ("Llama", SIZES, {}),
    "llama_biases": ("Llama", SIZES | dict(head_dim=6, attention_bias=True, mlp_bias=True, tie_word_embeddings=True,
                                           num_key_value_heads=1, rms_norm_eps=1e-3), {}),
    "llama_sharded": ("Llama", SIZES, dict(max_shard_size="8KB")),
    "llama_f16": ("Llama", SIZES, dict(dtype=torch.float16)),
    "mistral": ("Mistral", SIZES | dict(sliding_window=None, num_key_value_heads=4), {}),
    "qwen2": ("Qwen2", SIZES | dict(tie_word_embeddings=True), {}),
    "qwen2_bf16": ("Qwen2", SIZES | dict(eos_token_id=[2, 3]), dict(dtype=torch.bfloat16)),
    "qwen3": ("Qwen3", SIZES | dict(head_dim=8, tie_word_embeddings=True), {}),
}

# Of config.json's fields: null takes one away.
ROPE = {
    "theta at the top, as before transformers 5": {"rope_parameters": None, "rope_theta": 500.0},
    "theta in rope_parameters": {"rope_parameters": {"rope_theta": 300.0, "rope_type": "default"}},
    "theta in rope_scaling": {"rope_parameters": None, "rope_scaling": {"rope_theta": 200.0, "type": "default"}},
    "neither": {"rope_parameters": None},
    "linear, by the old name of its type": {"rope_parameters": None, "rope_theta": 10000.0,
                                            "rope_scaling": {"type": "linear", "factor": 2.0}},
    "linear": {"rope_parameters": {"rope_theta": 1000.0, "rope_type": "linear", "factor": 4.0}},
    "dynamic, within the context": {"rope_parameters": {"rope_theta": 1000.0, "rope_type": "dynamic", "factor": 4.0}},
    "llama3": {"rope_parameters": None, "rope_theta": 500000.0,
               "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                                "original_max_position_embeddings": 16}},
    "yarn": {"rope_parameters": {"rope_theta": 100.0, "rope_type": "yarn", "factor": 4.0,
                                 "original_max_position_embeddings": 8}},
    "yarn with its settings": {"rope_parameters": {"rope_theta": 100.0, "rope_type": "yarn", "factor": 4.0,
                                                   "original_max_position_embeddings": 8, "beta_fast": 4.0,
                                                   "beta_slow": 0.5, "attention_factor": 1.2}},
    "yarn with mscale": {"rope_parameters": {"rope_theta": 100.0, "rope_type": "yarn", "factor": 4.0,
                                             "original_max_position_embeddings": 8, "mscale": 2.0,
                                             "mscale_all_dim": 0.5}},
}


def randomized(model, seed):
    """Weights far from their start, so that each one shows in the logits."""
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        norm = parameter.dim() == 1 and name.endswith("weight")
        parameter.data = 1 + 0.2 * noise if norm else 0.3 * noise
    return model


def logits(folder, ids):
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    with torch.inference_mode():
        return model.eval()(ids).logits


def make(name, seed):
    kind, settings, saved = MODELS[name]
    config = getattr(transformers, kind + "Config")(**settings)
    architecture = "GPT2LMHeadModel" if kind == "GPT2" else kind + "ForCausalLM"
    model = randomized(getattr(transformers, architecture)(config), seed)
    folder = FIXTURES / name
    if "dtype" in saved:
        model = model.to(saved.pop("dtype"))
    model.save_pretrained(folder, **saved)
    (folder / "generation_config.json").unlink()
    ids = torch.randint(0, VOCABULARY, (2, 9), generator=torch.Generator().manual_seed(seed + 1))
    save_file({"ids": ids.to(torch.int32), "logits": logits(folder, ids)}, folder / "expected.safetensors")


def with_rope(changes, ids):
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(FIXTURES / "llama" / "model.safetensors", folder)
        config = json.loads((FIXTURES / "llama" / "config.json").read_text())
        for field, value in changes.items():
            config.pop(field, None)
            if value is not None:
                config[field] = value
        (pathlib.Path(folder) / "config.json").write_text(json.dumps(config))
        return logits(folder, ids)


def losses(name, ids):
    model = transformers.AutoModelForCausalLM.from_pretrained(FIXTURES / name, dtype=torch.float32,
                                                              attn_implementation="eager").eval()    # no dropout
    parameters = list(model.parameters())
    groups = [{"params": [p for p in parameters if (p.dim() > 1) == decays], "weight_decay": 0.1 * decays}
              for decays in (True, False)]
    adam = torch.optim.AdamW(groups, lr=0.01, betas=(0.9, 0.99))
    losses = []
    for batch in ids:
        logits = model(batch[:, :-1]).logits
        loss = torch.nn.functional.cross_entropy(logits.reshape(-1, VOCABULARY), batch[:, 1:].reshape(-1))
        losses.append(loss.item())
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        adam.step()
    return torch.tensor(losses)


def make_training():
    ids = torch.randint(0, VOCABULARY, (10, 4, 17), generator=torch.Generator().manual_seed(8))
    save_file({"ids": ids.to(torch.int32), "gpt2": losses("gpt2", ids), "llama": losses("llama", ids)},
              FIXTURES / "training.safetensors")


def main():
    shutil.rmtree(FIXTURES, ignore_errors=True)
    for seed, name in enumerate(MODELS):
        make(name, 10 * seed)
    make_training()
    ids = torch.randint(0, VOCABULARY, (1, 20), generator=torch.Generator().manual_seed(7))
    variants = []
    for name, changes in ROPE.items():
        last = with_rope(changes, ids)[0, -1]
        variants.append({"name": name, "config": changes, "last_logits": [float(f"{x:.7g}") for x in last.tolist()]})
    (FIXTURES / "rope.json").write_text(json.dumps({"ids": ids[0].tolist(), "variants": variants}, indent=1) + "\n")


if __name__ == "__main__":
    main()
