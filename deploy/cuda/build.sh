#!/usr/bin/env bash
# The service for an NVIDIA GPU, built on a machine that has neither a GPU nor CUDA. `build.sh --help` says how.
set -euo pipefail

usage() {
    cat <<'HELP'
usage: deploy/cuda/build.sh [--measure] [--root FOLDER] [CAPABILITY]

Builds target/cuda-build/release/assize for the GPUs of one compute capability (default 90: H100, H200) and checks what it will need.

  CAPABILITY     80 A100, 86 A10 and RTX 30, 89 L4, L40 and RTX 40, 90 H100 and H200, 100 B200, 120 RTX 50
  --measure      build decode, verdict and encode of crates/assize-candle/examples as well, for benches/device.sh
  --root FOLDER  where the CUDA compiler is put, 0.3 GB (default target/cuda); a second run finds it there
  --help         this text

Needs cargo, a C and C++ compiler (gcc 15 at the newest), Python with pip, and the registries PyPI and crates.io; no root, no driver.
CUDAFORGE_THREADS is the number of nvcc side by side (default: one a core, 0.6 GB each).
HELP
}

capability=90
root=target/cuda
measure=no
while (($#)); do
    case $1 in
        --help) usage; exit ;;
        --measure) measure=yes ;;
        --root) root=${2:?--root wants a folder}; shift ;;
        [1-9][0-9] | 1[0-9][0-9]) capability=$1 ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$root"
root=$(cd "$root" && pwd)
cd "$here/../.."

# 1. One CUDA root from wheels. Installs call the folder lib64, and the wheels carry no unversioned name of the run-time library.
cuda=$root/nvidia/cu13
if [[ ! -x $cuda/bin/nvcc ]]; then
    python3 -m pip install --quiet --no-deps --no-compile --require-hashes --root-user-action=ignore \
        --target "$root" --requirement "$here/requirements.txt"
fi
ln -sfn lib "$cuda/lib64"
ln -sf libcudart.so.13 "$cuda/lib/libcudart.so"

# 2. Stand-ins for the libraries that only the machine with the GPU has.
cargo fetch --locked --quiet
cudarc=$(cargo metadata --format-version 1 --locked --offline --features assize-server/cuda | python3 -c '
import json, os, sys
print(*(os.path.dirname(package["manifest_path"]) for package in json.load(sys.stdin)["packages"] if package["name"] == "cudarc"))')
python3 "$here/stubs.py" "$cudarc" "$cuda/lib/stubs"

# 3. The build. cudaforge reads NVCC, CUDA_COMPUTE_CAP and CUDAFORGE_THREADS (it would ask nvidia-smi and use half the cores), cudarc reads
#    CUDA_HOME and CUDARC_CUDA_VERSION. A target folder of its own: no file of the CPU build is touched or taken for one of this.
export CUDA_HOME=$cuda CUDA_PATH=$cuda NVCC=$cuda/bin/nvcc PATH=$cuda/bin:$PATH
export CUDA_COMPUTE_CAP=$capability CUDARC_CUDA_VERSION=13000 CUDAFORGE_THREADS=${CUDAFORGE_THREADS:-$(nproc)}
export CARGO_TARGET_DIR=$PWD/target/cuda-build
unset LD_LIBRARY_PATH
nvcc --version | sed -n '/release/p'
if [[ $measure == no ]]; then
    cargo build --release --locked --features cuda -p assize-server --bin assize
else
    # Together: by themselves the examples share fewer features of dependencies with the service, and the kernels would be compiled twice.
    cargo build --release --locked --features assize-server/cuda,assize-candle/cuda \
        -p assize-server --bin assize -p assize-candle --example decode --example verdict --example encode
fi

# 4. What came out.
binary=$CARGO_TARGET_DIR/release/assize
fail() { printf 'build.sh: %s\n' "$1" >&2; exit 1; }
newest() { objdump -T "$binary" | grep -o "${1}_[0-9.]*" | sort -Vu | tail -1; }

strip -o "$binary.stripped" "$binary"
printf '\n== %s: %d bytes, %d without symbols, %d packed by xz\n' "${binary#"$PWD/"}" "$(stat -c %s "$binary")" \
    "$(stat -c %s "$binary.stripped")" "$(xz --threads=0 -3 --stdout "$binary.stripped" | wc -c)"
rm "$binary.stripped"
readelf -d "$binary" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/needs \1/p'
printf 'newest symbols: %s, %s\n' "$(newest GLIBC)" "$(newest GLIBCXX)"
# Ubuntu 22.04, the base of Dockerfile.cuda, has glibc 2.35.
[[ $(printf '%s\n' GLIBC_2.35 "$(newest GLIBC)" | sort -V | tail -1) == GLIBC_2.35 ]] || fail "wants a newer glibc than Ubuntu 22.04 has"

# Asked for 90 or more, cudaforge builds for the capability alone (`sm_90a`), not for later ones.
printf 'kernels as PTX text: %s entry points\n' "$(grep -aoc '^\.visible \.entry' "$binary")"
grep -aoE '^\.(version [0-9.]+|target sm_[0-9a-z]+)' "$binary" | sort | uniq -c
grep -aqE "^\.target sm_$capability" "$binary" || fail "holds no kernels for sm_$capability"

# Every library is found and nothing is a GPU: the service must say so. It is our side that is checked; the real libraries are not here.
printf '\n== assize serve --device cuda:0, on stand-ins without a GPU\n'
status=0
said=$(RUST_BACKTRACE=0 LD_LIBRARY_PATH=$cuda/lib:$cuda/lib/stubs timeout 60 "$binary" serve --device cuda:0 2>&1) || status=$?
printf '%s\nexit status %d\n' "$said" "$status"
[[ $status == 1 && $said == *"can't be opened"*CUDA_ERROR_NO_DEVICE* ]] || fail "an absent GPU must be told as an error"
