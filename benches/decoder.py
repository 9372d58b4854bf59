#!/usr/bin/env python3
"""transformers as the yardstick for the decoder: prefill and decode of a checkpoint, a GGUF file or a folder, on the CPU or a GPU.

    pip install -r crates/assize-candle/tests/smollm2/requirements.txt
    decoder.py SmolLM2-135M-Instruct.Q4_1.gguf --threads 2 > transformers.jsonl
    decoder.py FOLDER --device cuda --dtype bfloat16

One JSON line a row: {"engine": "transformers f32", "device": "cpu", "attention": "sdpa", "threads": 2, "what": "prefill 1x256",
"tokens_per_s": ...}. Shapes are sequences x tokens; a GPU has larger ones, those of crates/assize-candle/examples/decode.rs. A prefill
counts the prompts' tokens and asks for the last row's logits alone; a decode counts the tokens that follow a prompt of 64, one a step for
each sequence, by argmax and with the key-value cache, the prompt's own time left out. Token ids are random, without padding. Each figure is
the best of `--rounds`; the rounds go through all rows in turn, so that a disturbance spoils no row alone. A GPU that is asked for and absent
is an error. Wants a quiet machine: OpenMP's threads wait for one another, and a core that does something else makes a step many times slower.
"""
import argparse, json, os, sys, time

SHAPES = {
    "cpu": dict(prefill=[(1, 256), (8, 128)], decode=[1, 8]),
    "cuda": dict(prefill=[(1, 512), (8, 512), (4, 2048)], decode=[1, 8, 32]),
}
SHORT = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}
PROMPT, NEW = 64, 64


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", metavar="GGUF_FILE_OR_FOLDER")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    parser.add_argument("--dtype", default="float32", choices=SHORT)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--attention", default="eager,sdpa")
    arguments = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(arguments.threads)
    os.environ["HF_HUB_OFFLINE"] = "1"
    import torch, transformers
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(arguments.threads)
    device = torch.device(arguments.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        sys.exit(f"decoder.py: torch {torch.__version__} sees no GPU; check nvidia-smi, or take --device cpu")
    path = os.path.abspath(arguments.checkpoint)
    folder, file = (path, None) if os.path.isdir(path) else os.path.split(path)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=getattr(torch, arguments.dtype)).to(device).eval()
    random = torch.Generator().manual_seed(1)
    vocab = min(40000, model.config.vocab_size)
    ids = lambda batch, tokens: torch.randint(100, vocab, (batch, tokens), generator=random).to(device)

    def now():
        # A GPU works on behind the program's back.
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter()

    def prefill(batch, tokens):
        x = ids(batch, tokens)
        start = now()
        model(x, use_cache=True, logits_to_keep=1)
        return batch * tokens / (now() - start)

    def decode(batch):
        out = model(ids(batch, PROMPT), use_cache=True, logits_to_keep=1)
        start = now()
        for _ in range(NEW):
            step = out.logits[:, -1].argmax(-1, keepdim=True)
            out = model(step, past_key_values=out.past_key_values, use_cache=True, logits_to_keep=1)
        return batch * NEW / (now() - start)

    shapes = SHAPES[device.type]
    rows = [(f"prefill {batch}x{tokens}", lambda batch=batch, tokens=tokens: prefill(batch, tokens)) for batch, tokens in shapes["prefill"]]
    rows += [(f"decode {batch}x{NEW}", lambda batch=batch: decode(batch)) for batch in shapes["decode"]]
    best = {}
    with torch.inference_mode():
        for _ in range(arguments.rounds):
            for attention in arguments.attention.split(","):
                model.set_attn_implementation(attention)
                for what, run in rows:
                    best[attention, what] = max(best.get((attention, what), 0.0), run())
    for (attention, what), rate in best.items():
        print(json.dumps(dict(engine=f"transformers {SHORT[arguments.dtype]}", device=arguments.device, attention=attention, threads=arguments.threads, what=what, tokens_per_s=round(rate, 1))))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
