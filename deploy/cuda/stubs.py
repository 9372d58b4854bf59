#!/usr/bin/env python3
"""Stand-ins for NVIDIA's libraries, for the linker alone: `stubs.py FOLDER_OF_CUDARC OUTPUT_FOLDER`.

cudarc, candle's way to the GPU, is linked against libcuda, cuBLAS, cuRAND and NVRTC. A linker wants their names and nothing else, so that
half a gigabyte of libraries and a driver aren't needed to build. Each stand-in has the real one's file name (SONAME) and, as functions
without a body, every name that the cudarc of Cargo.lock declares. Called, they all return an error, libcuda's being "no device":
a program that is started with these instead of the real ones must say so and not crash.
"""
import pathlib, re, subprocess, sys

# library: its module in cudarc, what its names start with, its SONAME in CUDA 13, what its functions return
LIBRARIES = {
    "cuda": ("driver", "cu", "libcuda.so.1", 100),  # CUDA_ERROR_NO_DEVICE
    "cublas": ("cublas", "cublas", "libcublas.so.13", 1),  # CUBLAS_STATUS_NOT_INITIALIZED
    "cublasLt": ("cublaslt", "cublasLt", "libcublasLt.so.13", 1),  # the same
    "curand": ("curand", "curand", "libcurand.so.10", 101),  # CURAND_STATUS_NOT_INITIALIZED
    "nvrtc": ("nvrtc", "nvrtc", "libnvrtc.so.13", 7),  # NVRTC_ERROR_BUILTIN_OPERATION_FAILURE
}


def main():
    cudarc, output = (pathlib.Path(argument) for argument in sys.argv[1:])
    output.mkdir(parents=True, exist_ok=True)
    for library, (module, prefix, soname, code) in LIBRARIES.items():
        declarations = (cudarc / "src" / module / "sys" / "mod.rs").read_text()
        names = sorted({name for name in re.findall(r"\bfn\s+(\w+)\s*\(", declarations) if name.startswith(prefix)})
        if len(names) < 10:
            sys.exit(f"stubs.py: {library}: only {len(names)} names in cudarc's declarations; their form must have changed")
        source = "".join(f"int {name}(void) {{ return {code}; }}\n" for name in names)
        command = ["cc", "-shared", "-fPIC", "-nostdlib", "-w", "-x", "c", "-", f"-Wl,-soname,{soname}", "-o", output / soname]
        subprocess.run(command, input=source, text=True, check=True)
        # `-lcuda` looks for this name; a program asks for the other.
        link = output / f"lib{library}.so"
        link.unlink(missing_ok=True)
        link.symlink_to(soname)
        print(f"stand-in {soname}: {len(names)} names")


if __name__ == "__main__":
    main()
