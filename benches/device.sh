#!/usr/bin/env bash
# Our models and PyTorch on one GPU, beside what that GPU can do at most. `device.sh --help` says how. It builds nothing.
set -euo pipefail

usage() {
    cat <<'HELP'
usage: benches/device.sh PROGRAMS FOLDER [DEVICE [PARTS]]

  PROGRAMS  the folder target/cuda-build/release/examples with decode, verdict and encode, built by `deploy/cuda/build.sh --measure`
  FOLDER    a checkpoint of random weights in Mistral 7B's shape; made here where FOLDER/config.json is not there, 14.5 GB
  DEVICE    cuda:0 (default), another GPU, or `cpu`: a rehearsal of the whole script with a tiny checkpoint, whose figures mean nothing
  PARTS     some of device,decode,transformers,verdict,encode (default: all of them), where a GPU is lent for minutes at a time

PYTHON (default python3) needs torch for this GPU, transformers and safetensors. The CUDA libraries are those that torch came with, unless
CUDA_LIBRARIES names their folders. One JSON line a row, and each says what it is of:
  device        the device, its driver and torch; the most that bf16 products reach here
  decode        prefill and decode by ours, in bf16 (on the processor f32)
  transformers  the same by transformers
  verdict       a guard's verdict by forced labels, and the same answers written out in 20 tokens and looked for in the text: same engine,
                weights and batch, both with the template's beginning read before. 1, 8, 32 and 64 prompts at a time of 256 and 1024 tokens
  encode        the embedded encoder, models/guard-v1, in f32 on a GPU whatever the file has: its row says so. Up to 64 sequences of 512 tokens
Parts run after each other and never at once. A row of verdicts or of the encoder takes 10 s, but 5 rounds at least and 200 at most; one of
fewer than 100 rounds has the slowest as its p99. 64 verdicts of 1024 tokens want 20 GB of the GPU's memory for a cache, beside the weights.
A GPU that is asked for and absent is an error, and so is a step that fails; no step falls back on the processor.
Set a row's tokens/s times prefill_gflop_per_token of the checkpoint's line against the ceiling.
HELP
}

[[ ${1:-} == --help ]] && { usage; exit; }
(($# >= 2 && $# <= 4)) || { usage >&2; exit 2; }
programs=$1 folder=$2 device=${3:-cuda:0} parts=${4:-device,decode,transformers,verdict,encode}
python=${PYTHON:-python3}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for part in ${parts//,/ }; do
    [[ " device decode transformers verdict encode " == *" $part "* ]] || { echo "device.sh: there is no part $part" >&2; usage >&2; exit 2; }
done
wants() { [[ ,$parts, == *,$1,* ]]; }
shape=mistral-7b dtype=bfloat16 precision=portable
verdicts=1x256,8x256,32x256,64x256,1x1024,8x1024,32x1024,64x1024
encodes=1x128,8x128,32x128,64x128,1x512,64x512
if [[ $device == cpu ]]; then
    shape=tiny dtype=float32 verdicts=1x256,8x256,64x256,1x1024 encodes=1x128,8x128
fi

# The median of products that were timed one by one, on random numbers: zeros run faster than anything real.
measure_device() {
    "$python" - "$device" <<'PYTHON'
import json, statistics, subprocess, sys, time
import torch
device, size = torch.device(sys.argv[1]), 8192
if device.type == "cpu":
    size, name, driver, wait = 512, "a rehearsal on the processor", None, lambda: None
elif not torch.cuda.is_available():
    sys.exit(f"device.sh: torch {torch.__version__} sees no GPU; check nvidia-smi and that torch was built for CUDA")
else:
    name, wait = torch.cuda.get_device_name(device), lambda: torch.cuda.synchronize(device)
    query = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    driver = subprocess.run(query, capture_output=True, text=True, check=True).stdout.split()[0]
print(json.dumps(dict(what="the device", device=sys.argv[1], name=name, driver=driver, torch=torch.__version__)), flush=True)
a, b = (torch.randn(size, size, device=device).bfloat16() for _ in range(2))
times = []
for _ in range(25):
    wait(); start = time.perf_counter(); a @ b; wait()
    times.append(time.perf_counter() - start)
tflops = 2 * size**3 / statistics.median(times[5:]) / 1e12
print(json.dumps(dict(engine="torch bf16", device=sys.argv[1], what=f"ceiling: matrix product {size}x{size}x{size}", tflops=round(tflops, 1))), flush=True)
PYTHON
}

# One of our programs, with a path of libraries for it alone: system libraries on that path would reach Python, too. Kernels are compiled in
# a row's first round, which no row counts.
ours() {
    local program=$programs/$1 missing
    shift
    [[ -x $program ]] || { echo "device.sh: there is no program $program; build it with deploy/cuda/build.sh --measure" >&2; exit 1; }
    missing=$(LD_LIBRARY_PATH=$libraries ldd "$program" | awk '/not found/ { print $1 }')
    if [[ -n $missing ]]; then
        echo "device.sh: $program finds no ${missing//$'\n'/, } in $libraries; name their folders in CUDA_LIBRARIES (libcuda.so.1 is the driver's)" >&2
        exit 1
    fi
    LD_LIBRARY_PATH=$libraries "$program" "$@"
}

libraries=${CUDA_LIBRARIES:-$("$python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"] + "/nvidia/cu13/lib")')}
libraries=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}

if wants device; then measure_device; fi
# A checkpoint has a config.json only when it is whole.
if { wants decode || wants transformers || wants verdict; } && [[ ! -e $folder/config.json ]]; then
    "$python" "$here/random_checkpoint.py" "$shape" "$folder" --device "$device"
fi
if wants decode; then ours decode "$folder" "$precision" "$device"; fi
if wants transformers; then "$python" "$here/decoder.py" "$folder" --device "$device" --dtype "$dtype"; fi
# Random weights have no tokenizer: `-` makes one up.
if wants verdict; then ours verdict "$folder" - "$precision" "$device" "$verdicts"; fi
if wants encode; then ours encode "$here/../models/guard-v1" auto "$device" "$encodes"; fi
