#!/usr/bin/env python3
"""Computes a model folder's golden.json again with another implementation: NumPy, written from the BERT paper.

The folder's golden.json comes from the trainer, which shares its encoder with the service. This script shares nothing
with either but the files. Needs numpy, safetensors and tokenizers from PyPI.

    models/recipes/verify.py models/guard-v1      prints the largest difference of a logit; fails above 1e-4
"""
import json
import math
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

TOLERANCE = 1e-4


def norm(x, weight, bias, epsilon):
    mean = x.mean(-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon) * weight + bias


def gelu(x):
    return 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def softplus(x):
    return np.logaddexp(0, x)


class Model:
    def __init__(self, folder):
        self.config = json.loads((folder / "config.json").read_text())
        self.tensors = {k: v.astype(np.float64) for k, v in load_file(folder / "model.safetensors").items()}
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()

    def sequence(self, prompt, kept, response):
        """Token and type ids; of a prompt with more than `kept` tokens the first half and the last."""
        pieces = lambda text: self.tokenizer.encode(text, add_special_tokens=False).ids
        cls, sep = self.tokenizer.token_to_id("[CLS]"), self.tokenizer.token_to_id("[SEP]")
        ids = pieces(prompt)
        if len(ids) > kept:
            ids = ids[: (kept + 1) // 2] + ids[len(ids) - kept // 2 :]
        first = [cls, *ids, sep]
        second = [] if response is None else [*pieces(response), sep]
        return first + second, [0] * len(first) + [1] * len(second)

    def linear(self, x, name):
        return x @ self.tensors[name + ".weight"].T + self.tensors[name + ".bias"]

    def layer_norm(self, x, name):
        return norm(x, self.tensors[name + ".weight"], self.tensors[name + ".bias"], self.config["layer_norm_eps"])

    def outputs(self, ids, types):
        words = self.tensors["embeddings.word_embeddings.weight"][ids]
        places = self.tensors["embeddings.position_embeddings.weight"][: len(ids)]
        x = words + places + self.tensors["embeddings.token_type_embeddings.weight"][types]
        x = self.layer_norm(x, "embeddings.LayerNorm")
        heads = self.config["num_attention_heads"]
        width = self.config["hidden_size"] // heads
        for index in range(self.config["num_hidden_layers"]):
            p = f"encoder.layer.{index}."
            split = lambda name: self.linear(x, p + "attention.self." + name).reshape(len(ids), heads, width).swapaxes(0, 1)
            q, k, v = split("query"), split("key"), split("value")
            mixed = softmax(q @ k.swapaxes(1, 2) / math.sqrt(width)) @ v
            mixed = mixed.swapaxes(0, 1).reshape(len(ids), heads * width)
            x = self.layer_norm(self.linear(mixed, p + "attention.output.dense") + x, p + "attention.output.LayerNorm")
            wide = gelu(self.linear(x, p + "intermediate.dense"))
            x = self.layer_norm(self.linear(wide, p + "output.dense") + x, p + "output.LayerNorm")
        feature = np.concatenate([x.mean(0), x[0]])
        return {head: self.linear(feature, "heads." + head) for head in ("binary", "risk", "leaves")}


def masses(leaves):
    """Harm by category and all benefit, read from the leaf heads; the layout is that of crates/assize-candle/src/leaves.rs."""
    cut = iter(np.split(leaves, np.cumsum([16, 16, 16 * 24, 16 * 15, 16 * 9, 45, 15, 15, 15 * 24])))
    harm_presence, harm_leaves, harm_severity, _, _, _, presence, count, severity, _ = cut
    extent, likelihood = np.array([0.25, 0.5, 0.75, 1.0]), np.array([0.15, 0.5, 0.85])
    weights = np.repeat(np.outer(extent, likelihood).reshape(-1), 2)

    def mass(presence, leaves, severity):
        shares = softmax(severity.reshape(len(presence), 24))
        return 1 / (1 + np.exp(-presence)) * (1 + softplus(leaves)) * (shares @ weights)

    return mass(harm_presence, harm_leaves, harm_severity), mass(presence, count, severity).sum(keepdims=True)


def main():
    folder = Path(sys.argv[1])
    model = Model(folder)
    worst = 0.0
    rows = json.loads((folder / "golden.json").read_text())
    for row in rows:
        ids, types = model.sequence(row["prompt"], row["prompt_tokens_kept"], row["response"])
        assert ids == row["input_ids"], "token ids differ"
        assert types == row["token_type_ids"], "type ids differ"
        found = model.outputs(ids, types)
        harm, benefit = masses(found["leaves"])
        expected = row["logits"]
        pairs = [(found["binary"], "binary"), (found["risk"], "risk"), (harm, "harm_mass"), (benefit, "benefit_mass")]
        for given, name in pairs:
            worst = max(worst, float(np.abs(given - np.array(expected[name])).max()))
    print(f"{len(rows)} rows, largest difference {worst:.2e} (allowed: {TOLERANCE:.0e})")
    sys.exit(0 if worst <= TOLERANCE else 1)


if __name__ == "__main__":
    main()
