#!/usr/bin/env python3
"""ONNX Runtime as the yardstick for the encoder: the peer that the CPU path must beat, measured in the same run.

    pip install onnx onnxruntime numpy safetensors
    ort.py export MODEL_DIR OUT_DIR          # MODEL_DIR: config.json + model.safetensors of a BERT encoder
    ort.py time OUT_DIR/int8.onnx --threads 2 --shapes 1x16,1x128,32x64,32x128
    ort.py serve OUT_DIR/int8.onnx --threads 2   # lines "BATCH SEQ REPEATS" in, seconds out: for interleaving with another engine

`export` writes fp32.onnx and int8.onnx (ORT's dynamic quantisation, its default for CPU). The graph returns the last hidden state's first
row ([batch, hidden]); heads cost nothing beside it. Token ids are random, without padding, so packed and padded engines do the same work.
"""
import argparse, json, os, sys, time


def export(model_dir, out_dir):
    import numpy as np, onnx
    from onnx import TensorProto as T, helper as h, numpy_helper as nh
    from safetensors.numpy import load_file
    cfg = json.load(open(os.path.join(model_dir, "config.json")))
    w = {k.removeprefix("bert."): v.astype(np.float32) for k, v in load_file(os.path.join(model_dir, "model.safetensors")).items()}
    hidden, heads, layers, eps = cfg["hidden_size"], cfg["num_attention_heads"], cfg["num_hidden_layers"], cfg["layer_norm_eps"]
    init, nodes, count = [], [], [0]

    def const(a):
        count[0] += 1
        init.append(nh.from_array(np.asarray(a), f"c{count[0]}"))
        return f"c{count[0]}"

    def op(kind, *inputs, **attrs):
        count[0] += 1
        nodes.append(h.make_node(kind, list(inputs), [f"t{count[0]}"], **attrs))
        return f"t{count[0]}"

    linear = lambda x, name: op("Add", op("MatMul", x, const(w[name + ".weight"].T.copy())), const(w[name + ".bias"]))
    norm = lambda x, name: op("LayerNormalization", x, const(w[name + ".weight"]), const(w[name + ".bias"]), epsilon=eps, axis=-1)
    emb = "embeddings."
    shape = op("Shape", "input_ids")
    seq = op("Slice", shape, const(np.array([1])), const(np.array([2])))
    pos = op("Slice", const(w[emb + "position_embeddings.weight"]), const(np.array([0])), seq)
    x = op("Add", op("Gather", const(w[emb + "word_embeddings.weight"]), "input_ids"), pos)
    x = norm(op("Add", x, const(w[emb + "token_type_embeddings.weight"][0])), emb + "LayerNorm")
    mask = op("Mul", op("Sub", const(np.float32(1)), op("Cast", op("Unsqueeze", "attention_mask", const(np.array([1, 2]))), to=T.FLOAT)), const(np.float32(-1e9)))
    split, merge = const(np.array([0, 0, heads, hidden // heads])), const(np.array([0, 0, hidden]))
    for i in range(layers):
        p = f"encoder.layer.{i}."
        q, k, v = (op("Transpose", op("Reshape", linear(x, p + f"attention.self.{n}"), split), perm=perm)
                   for n, perm in (("query", [0, 2, 1, 3]), ("key", [0, 2, 3, 1]), ("value", [0, 2, 1, 3])))
        s = op("Softmax", op("Add", op("Mul", op("MatMul", q, k), const(np.float32((hidden // heads) ** -.5))), mask), axis=-1)
        a = op("Reshape", op("Transpose", op("MatMul", s, v), perm=[0, 2, 1, 3]), merge)
        x = norm(op("Add", linear(a, p + "attention.output.dense"), x), p + "attention.output.LayerNorm")
        x = norm(op("Add", linear(op("Gelu", linear(x, p + "intermediate.dense")), p + "output.dense"), x), p + "output.LayerNorm")
    first = op("Gather", x, const(np.array(0)), axis=1)
    ins = [h.make_tensor_value_info(n, T.INT64, ["batch", "seq"]) for n in ("input_ids", "attention_mask")]
    graph = h.make_graph(nodes, "encoder", ins, [h.make_tensor_value_info(first, T.FLOAT, ["batch", hidden])], init)
    os.makedirs(out_dir, exist_ok=True)
    fp32 = os.path.join(out_dir, "fp32.onnx")
    onnx.save(h.make_model(graph, opset_imports=[h.make_opsetid("", 20)], ir_version=10), fp32)
    from onnxruntime.quantization import QuantType, quantize_dynamic
    quantize_dynamic(fp32, os.path.join(out_dir, "int8.onnx"), weight_type=QuantType.QInt8)
    print("wrote", fp32, "and int8.onnx")


def runner(path, threads):
    import numpy as np, onnxruntime as ort
    so = ort.SessionOptions()
    so.intra_op_num_threads, so.inter_op_num_threads = threads, 1
    session = ort.InferenceSession(path, so, providers=["CPUExecutionProvider"])
    rng, cache = np.random.default_rng(1), {}

    def run(batch, seq):
        if (batch, seq) not in cache:
            ids = rng.integers(1000, 29000, (batch, seq), dtype=np.int64)
            cache[batch, seq] = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        start = time.perf_counter()
        session.run(None, cache[batch, seq])
        return time.perf_counter() - start
    return run


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = p.add_subparsers(dest="command", required=True)
    e = sub.add_parser("export"); e.add_argument("model_dir"); e.add_argument("out_dir")
    for name in ("time", "serve"):
        t = sub.add_parser(name); t.add_argument("model"); t.add_argument("--threads", type=int, default=2)
        t.add_argument("--shapes", default="1x16,1x64,1x128,1x512,8x128,32x64,32x128"); t.add_argument("--seconds", type=float, default=3)
    a = p.parse_args()
    if a.command == "export":
        return export(a.model_dir, a.out_dir)
    run = runner(a.model, a.threads)
    if a.command == "serve":
        print("ready", flush=True)
        for line in sys.stdin:
            b, s, n = map(int, line.split())
            print(" ".join(f"{run(b, s):.6f}" for _ in range(n)), flush=True)
        return
    for shape in a.shapes.split(","):
        b, s = map(int, shape.split("x"))
        run(b, s)
        samples, end = [], time.perf_counter() + a.seconds
        while time.perf_counter() < end or len(samples) < 3:
            samples.append(run(b, s))
        m = sorted(samples)[len(samples) // 2]
        print(f"{shape:>7}  median {m * 1e3:8.2f} ms  {b * s / m:9.0f} tokens/s  (n={len(samples)})", flush=True)


if __name__ == "__main__":
    main()
