#!/usr/bin/env bash
# A decoder of ours and PyTorch on one GPU, beside what that GPU can do at most. `device.sh --help` says how. It builds nothing.
set -euo pipefail

usage() {
    cat <<'HELP'
usage: benches/device.sh DECODE FOLDER [DEVICE]

  DECODE   the program target/cuda-build/release/examples/decode, built by `deploy/cuda/build.sh --measure`
  FOLDER   a checkpoint of random weights in Mistral 7B's shape; made here where FOLDER/config.json is not there, 14.5 GB
  DEVICE   cuda:0 (default), another GPU, or `cpu`: a rehearsal of the whole script with a tiny checkpoint, whose figures mean nothing

PYTHON (default python3) needs torch for this GPU, transformers and safetensors. The CUDA libraries are those that torch came with, unless
CUDA_LIBRARIES names their folders. One JSON line a row, and each says what it is of:
  1. the device, its driver and torch          3. prefill and decode by DECODE, in bf16 (on the processor f32)
  2. the most that bf16 products reach here    4. the same by transformers, which run after each other and never at once
A GPU that is asked for and absent is an error, and so is a step that fails; no step falls back on the processor.
Set a row's tokens/s times prefill_gflop_per_token of the checkpoint's line against line 2.
HELP
}

[[ ${1:-} == --help ]] && { usage; exit; }
(($# == 2 || $# == 3)) || { usage >&2; exit 2; }
decode=$1 folder=$2 device=${3:-cuda:0}
python=${PYTHON:-python3}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[[ -x $decode ]] || { echo "device.sh: there is no program $decode; build it with deploy/cuda/build.sh --measure" >&2; exit 1; }
shape=mistral-7b dtype=bfloat16
[[ $device == cpu ]] && shape=tiny dtype=float32

# 1 and 2. The median of products that were timed one by one, on random numbers: zeros run faster than anything real.
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

# A checkpoint has a config.json only when it is whole.
[[ -e $folder/config.json ]] || "$python" "$here/random_checkpoint.py" "$shape" "$folder" --device "$device"

# 3. For this program alone: system libraries on this path would reach Python, too. The first row compiles the kernels, which
#    the best of five rounds leaves out.
libraries=${CUDA_LIBRARIES:-$("$python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"] + "/nvidia/cu13/lib")')}
libraries=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
missing=$(LD_LIBRARY_PATH=$libraries ldd "$decode" | awk '/not found/ { print $1 }')
if [[ -n $missing ]]; then
    echo "device.sh: $decode finds no ${missing//$'\n'/, } in $libraries; name their folders in CUDA_LIBRARIES (libcuda.so.1 is the driver's)" >&2
    exit 1
fi
LD_LIBRARY_PATH=$libraries "$decode" "$folder" portable "$device"

# 4.
"$python" "$here/decoder.py" "$folder" --device "$device" --dtype "$dtype"
