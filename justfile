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

# Licences, bans, sources and security advisories (needs cargo-deny and the network)
deny:
    cargo deny --locked check

# Feed a fuzz target with made-up input for a minute (needs cargo-fuzz and a nightly toolchain)
fuzz target seconds="60":
    cargo +nightly fuzz run {{ target }} -- -max_total_time={{ seconds }}

# Score the model and the decisions on labelled data; `just eval --help` lists its flags
eval *flags:
    cargo run --release --locked -- eval {{ flags }}
