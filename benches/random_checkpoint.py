#!/usr/bin/env python3
"""A checkpoint with a real model's shape and random weights, to measure speed with where no weights can be had: what it says means nothing.

    random_checkpoint.py mistral-7b FOLDER --device cuda:0

Written as Hugging Face writes one: config.json, and bf16 safetensors in a shard for each layer with their index. One shard is in memory at
a time (436 MB for mistral-7b, whose files take 14.5 GB). The same seed gives the same weights on the same kind of device. Wants torch and
safetensors. It prints one JSON line: what was made, its parameters, and the operations of its matrix products for each token of a prefill,
which multiplied by tokens/s are set against benches/device.sh's ceiling.
"""
import argparse, json, pathlib

# SOURCE: config.json of mistralai/Mistral-7B-Instruct-v0.2, which has no sliding window. `tiny` is for trying the programs out.
SHAPES = {
    "mistral-7b": dict(hidden_size=4096, intermediate_size=14336, num_hidden_layers=32, num_attention_heads=32, num_key_value_heads=8, vocab_size=32000),
    "tiny": dict(hidden_size=64, intermediate_size=224, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, vocab_size=1000),
}


def config(shape):
    head = shape["hidden_size"] // shape["num_attention_heads"]
    return dict(
        architectures=["MistralForCausalLM"], model_type="mistral", **shape, head_dim=head, hidden_act="silu", max_position_embeddings=32768,
        rms_norm_eps=1e-5, rope_theta=1e6, sliding_window=None, tie_word_embeddings=False, attention_dropout=0.0, initializer_range=0.02,
        bos_token_id=1, eos_token_id=2, use_cache=True, torch_dtype="bfloat16")


def shards(c):
    """Names and shapes of the tensors, shard by shard."""
    hidden, inner, kv = c["hidden_size"], c["intermediate_size"], c["num_key_value_heads"] * c["head_dim"]
    yield {"model.embed_tokens.weight": (c["vocab_size"], hidden)}
    for layer in range(c["num_hidden_layers"]):
        yield {f"model.layers.{layer}.{name}.weight": size for name, size in {
            "input_layernorm": (hidden,), "post_attention_layernorm": (hidden,),
            "self_attn.q_proj": (hidden, hidden), "self_attn.k_proj": (kv, hidden), "self_attn.v_proj": (kv, hidden), "self_attn.o_proj": (hidden, hidden),
            "mlp.gate_proj": (inner, hidden), "mlp.up_proj": (inner, hidden), "mlp.down_proj": (hidden, inner)}.items()}
    yield {"model.norm.weight": (hidden,), "lm_head.weight": (c["vocab_size"], hidden)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--device", default="cpu", help="where numbers are drawn: cpu, or cuda:0, which is much faster")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    import torch
    from safetensors.torch import save_file
    made = config(SHAPES[arguments.shape])
    arguments.folder.mkdir(parents=True, exist_ok=True)
    random = torch.Generator(arguments.device).manual_seed(arguments.seed)

    def draw(name, size):
        if name.endswith("norm.weight"):
            return torch.ones(size, dtype=torch.bfloat16)
        numbers = torch.randn(size, generator=random, device=arguments.device) * made["initializer_range"]
        return numbers.to(torch.bfloat16).cpu()

    places, parameters, products, count = {}, 0, 0, made["num_hidden_layers"] + 2
    for number, tensors in enumerate(shards(made), 1):
        file = f"model-{number:05}-of-{count:05}.safetensors"
        drawn = {name: draw(name, size) for name, size in tensors.items()}
        save_file(drawn, arguments.folder / file, metadata={"format": "pt"})
        places.update(dict.fromkeys(drawn, file))
        parameters += sum(tensor.numel() for tensor in drawn.values())
        # The last layer reads one row of a prompt alone, and the embedding is looked up.
        products += sum(tensor.numel() for name, tensor in drawn.items() if tensor.dim() == 2 and name.startswith("model.layers."))
    index = dict(metadata=dict(total_size=2 * parameters), weight_map=places)
    (arguments.folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=1) + "\n")
    # Last: a folder with this file is whole.
    (arguments.folder / "config.json").write_text(json.dumps(made, indent=1) + "\n")
    print(json.dumps(dict(what=f"checkpoint {arguments.shape}, random weights in bf16", parameters=parameters, prefill_gflop_per_token=round(2 * products / 1e9, 4))))


if __name__ == "__main__":
    main()
