#!/usr/bin/env bash
# gpu.sh tests|bench FOLDER [LIBRARIES]: what only a machine with an NVIDIA GPU can show, in two steps of under four
# minutes each, with the programs that were built before (build/, or the folder in LAB_BUILD):
#
#     ninja -C build lab_cuda test_cuda_gpu test_wgmma_gpu test_kernels test_device bench_device bench_gpu_kernels labs
#     tests/gpu.sh tests out/gpu      # every CUDA kernel under compute-sanitizer, on its full shapes, and the labs
#     tests/gpu.sh bench out/gpu      # every kernel and loop on CPU and GPU: bench.json, bench.txt, bench/report.html;
#                                     # the ladder's rungs beside cuBLAS: ladder.json, ladder.txt
#
# FOLDER gets a report of each. LIBRARIES is a folder of unpacked packages: libraries and compute-sanitizer that
# the machine lacks are taken from there.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
[ $# -ge 2 ] || { sed -n 2,4p "$0" | cut -c3- && exit 2; }
step=$1 out=$2 packages=${3-} build=${LAB_BUILD-build}
mkdir -p "$out" || exit
if [ -n "$packages" ]; then
    folders=$(find "$packages" -name '*.so*' -printf '%h\n' | sort -u | paste -sd:)
    export LD_LIBRARY_PATH=$folders${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
fi
failed=0

# run NAME SECONDS COMMAND...: its output goes to FOLDER/NAME.txt, and how it went to the terminal.
run() {
    local name=$1 limit=$2 start=$SECONDS
    shift 2
    if timeout "$limit" "$@" >"$out/$name.txt" 2>&1; then
        printf 'ok    %-28s %4d s\n' "$name" $((SECONDS - start))
    else
        printf 'FAIL  %-28s %4d s, see %s\n' "$name" $((SECONDS - start)) "$out/$name.txt"
        failed=1
    fi
}

sanitizer() { # the program, here or among the packages
    command -v compute-sanitizer || find /usr/local/cuda "$packages" -name compute-sanitizer -type f 2>/dev/null | head -1
}

case $step in
tests)
    nvidia-smi >"$out/machine.txt" 2>&1
    run device 20 "$build/tests/test_device"
    run kernels 60 "$build/tests/test_kernels" all cuda:0
    check=$(sanitizer)
    [ -n "$check" ] || { echo "FAIL  compute-sanitizer was not found" && failed=1; }
    for tool in memcheck racecheck initcheck synccheck; do
        [ -z "$check" ] || run "$tool" 30 "$check" --tool "$tool" --error-exitcode 9 "$build/tests/test_cuda_gpu"
    done
    run wgmma 20 "$build/tests/test_wgmma_gpu"
    [ -z "$check" ] || run wgmma_memcheck 40 "$check" --error-exitcode 9 "$build/tests/test_wgmma_gpu"
    run own_products 30 env LAB_CUDA_PRODUCTS=own "$build/tests/test_kernels" matmul cuda:0
    run graphs 12 env LAB_CUDA_GRAPHS=on "$build/labs/transformer" --smoke --device cuda --plot none --out "$out/graphs"
    for lab in autoencoder cnn transformer; do
        run "lab.$lab" 12 "$build/labs/$lab" --smoke --device cuda --plot none --out "$out/$lab"
    done
    ;;
bench)
    nvidia-smi >"$out/machine.txt" 2>&1
    # It begins nothing after 140 s, and says what it left out.
    run bench 190 "$build/bench/device" --device cpu,cuda --limit 140 --json "$out/bench.json" --out "$out/bench"
    run ladder 40 "$build/bench/gpu_kernels" --json "$out/ladder.json"
    ;;
*)
    echo "gpu.sh: '$step' is no step: tests or bench"
    exit 2
    ;;
esac
exit $failed
