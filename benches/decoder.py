#!/usr/bin/env python3
"""transformers as the yardstick for the decoder: prefill and decode of SmolLM2-135M in float32 on the CPU.

    pip install -r crates/assize-candle/tests/smollm2/requirements.txt
    decoder.py SmolLM2-135M-Instruct.Q4_1.gguf --threads 2 > transformers.jsonl

One JSON line a row: {"engine": "transformers f32", "attention": "sdpa", "threads": 2, "what": "prefill 1x256", "tokens_per_s": ...}. Shapes
are sequences x tokens. A prefill counts the prompts' tokens and asks for the last row's logits alone; a decode counts the tokens that follow
a prompt of 64, one a step for each sequence, by argmax and with the key-value cache, the prompt's own time left out. Token ids are random,
without padding. Each figure is the best of `--rounds`; the rounds go through all rows in turn, so that a disturbance spoils no row alone.
Wants a quiet machine: OpenMP's threads wait for one another, and a core that does something else makes a step many times slower.
"""
import argparse, json, os, sys, time

PREFILL = [(1, 256), (8, 128)]
DECODE = [1, 8]
PROMPT, NEW = 64, 64


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gguf", metavar="GGUF_PATH")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--attention", default="eager,sdpa")
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch, transformers
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(arguments.threads)
    folder, file = os.path.split(os.path.abspath(arguments.gguf))
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32).eval()
    random = torch.Generator().manual_seed(1)
    ids = lambda batch, tokens: torch.randint(100, 40000, (batch, tokens), generator=random)

    def prefill(batch, tokens):
        x = ids(batch, tokens)
        start = time.perf_counter()
        model(x, use_cache=True, logits_to_keep=1)
        return batch * tokens / (time.perf_counter() - start)

    def decode(batch):
        out = model(ids(batch, PROMPT), use_cache=True, logits_to_keep=1)
        start = time.perf_counter()
        for _ in range(NEW):
            step = out.logits[:, -1].argmax(-1, keepdim=True)
            out = model(step, past_key_values=out.past_key_values, use_cache=True, logits_to_keep=1)
        return batch * NEW / (time.perf_counter() - start)

    rows = [(f"prefill {batch}x{tokens}", lambda batch=batch, tokens=tokens: prefill(batch, tokens)) for batch, tokens in PREFILL]
    rows += [(f"decode {batch}x{NEW}", lambda batch=batch: decode(batch)) for batch in DECODE]
    best = {}
    with torch.inference_mode():
        for _ in range(arguments.rounds):
            for attention in arguments.attention.split(","):
                model.set_attn_implementation(attention)
                for what, run in rows:
                    best[attention, what] = max(best.get((attention, what), 0.0), run())
    for (attention, what), rate in best.items():
        print(json.dumps(dict(engine="transformers f32", attention=attention, threads=arguments.threads, what=what, tokens_per_s=round(rate, 1))))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
