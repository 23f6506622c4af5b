#!/usr/bin/env bash
# gpu.sh tests|bench FOLDER [LIBRARIES]: what only a machine with an NVIDIA GPU can show, in two steps of under four
# minutes each, with the programs that were built before (build/, or the folder in LAB_BUILD):
#
#     ninja -C build lab_cuda test_cuda_gpu test_wgmma_gpu test_kernels test_device bench_device \
#         bench_gpu_kernels autoencoder cnn transformer
#     tests/gpu.sh tests out/gpu      # every CUDA kernel on its full shapes and under compute-sanitizer, and the labs
#     tests/gpu.sh bench out/gpu      # the ladder's rungs beside cuBLAS: ladder.json, ladder.txt; every kernel and
#                                     # loop on CPU and GPU: bench.json, bench.txt, bench/report.html
#
# FOLDER gets a report of each, the most valuable first. A step ends after LAB_SECONDS (225): what does not begin until
# then is named. LIBRARIES is a folder of unpacked packages: libraries and compute-sanitizer that the machine lacks are
# taken from there; cuBLAS and NCCL are looked up when a program runs, and CUDA's runtime is part of the programs.
set -uo pipefail
[ $# -ge 2 ] || { sed -n 2,5p "$0" | cut -c3- && exit 2; }
mkdir -p "$2" || exit
step=$1 out=$(cd "$2" && pwd) packages=
if [ -n "${3-}" ]; then packages=$(cd "$3" && pwd) || exit; fi
cd "$(dirname "$0")/.." || exit
build=$(cd "${LAB_BUILD-build}" && pwd) || exit
# What the programs were linked with lay where they were built, which may have been another folder.
folders=$build/labs:$build/kernels/cuda
if [ -n "$packages" ]; then
    folders=$folders:$(find "$packages" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
fi
export LD_LIBRARY_PATH=$folders${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
failed=0 until=$((SECONDS + ${LAB_SECONDS-225}))

# run NAME SECONDS COMMAND...: its output goes to FOLDER/NAME.txt, and how it went to the terminal.
run() {
    local name=$1 limit=$2 start=$SECONDS left=$((until - SECONDS))
    shift 2
    if [ "$left" -lt 3 ]; then
        printf 'LATE  %-28s not begun: the time is up\n' "$name"
        failed=1
        return
    fi
    if timeout -k 2 $((limit < left ? limit : left)) "$@" >"$out/$name.txt" 2>&1; then
        printf 'ok    %-28s %4d s\n' "$name" $((SECONDS - start))
    else
        printf 'FAIL  %-28s %4d s, see %s\n' "$name" $((SECONDS - start)) "$out/$name.txt"
        failed=1
    fi
}

sanitizer() { # the program, here or among the packages
    command -v compute-sanitizer || find -H /usr/local/cuda ${packages:+"$packages"} -name compute-sanitizer -type f 2>/dev/null | head -1
}

# Before a GPU's time is spent: are these programs here, with all that they are linked with?
require() { # program...
    local program lacking
    for program; do
        [ -x "$build/$program" ] || { echo "FAIL  $build/$program was not built" && failed=1 && continue; }
        lacking=$(ldd "$build/$program" | awk '/not found/ { print $1 }' | paste -sd' ')
        [ -z "$lacking" ] || { echo "FAIL  $program needs $lacking, in LIBRARIES" && failed=1; }
    done
}

case $step in
tests)
    require liblab_cuda.so liblab_emulated.so tests/test_device tests/test_kernels tests/test_cuda_gpu tests/test_wgmma_gpu \
        labs/autoencoder labs/cnn labs/transformer
    nvidia-smi >"$out/machine.txt" 2>&1
    run device 20 "$build/tests/test_device"
    run kernels 60 "$build/tests/test_kernels" all cuda:0
    run wgmma 20 "$build/tests/test_wgmma_gpu"
    for lab in transformer autoencoder cnn; do
        run "lab.$lab" 12 "$build/labs/$lab" --smoke --device cuda --plot none --out "$out/$lab"
    done
    run graphs 12 env LAB_CUDA_GRAPHS=on "$build/labs/transformer" --smoke --device cuda --plot none --out "$out/graphs"
    check=$(sanitizer)
    [ -n "$check" ] || { echo "FAIL  compute-sanitizer was not found" && failed=1; }
    for tool in memcheck racecheck synccheck initcheck; do
        [ -z "$check" ] || run "$tool" 30 "$check" --tool "$tool" --error-exitcode 9 "$build/tests/test_cuda_gpu"
    done
    [ -z "$check" ] || run wgmma_memcheck 40 "$check" --error-exitcode 9 "$build/tests/test_wgmma_gpu"
    run own_products 30 env LAB_CUDA_PRODUCTS=own "$build/tests/test_kernels" matmul cuda:0
    ;;
bench)
    require liblab_cuda.so bench/gpu_kernels bench/gpu_kernels_cuda bench/device
    nvidia-smi >"$out/machine.txt" 2>&1
    run ladder 40 "$build/bench/gpu_kernels" --json "$out/ladder.json"
    # It begins nothing after its limit, and says what it left out.
    run bench 190 "$build/bench/device" --device cpu,cuda --limit $((until - SECONDS - 40)) \
        --json "$out/bench.json" --out "$out/bench"
    ;;
*)
    echo "gpu.sh: '$step' is no step: tests or bench"
    exit 2
    ;;
esac
exit $failed
