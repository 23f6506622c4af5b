#!/bin/sh
# `lab bench --device ...`, `lab bench --compare A B` and `lab bench gpu_kernels`: what they show, and what they refuse.
# shellcheck disable=SC2154,SC2317 # names of sentences.sh; called by name
. "$ROOT/tests/driver/sentences.sh"

"$LAB" bench --compare --help >/dev/null 2>&1 || benches=none # not built
needs_benches() { [ -z "${benches-}" ] || skip "no benchmarks" "./lab bench"; }

# A small report of the CPU in FILE.
report() { # file
    needs_benches
    run "$LAB" bench --device cpu --quick --threads 1 --only add,matmul --plot none --out pictures --json "$1"
    gave 0
}

a_report_has_limits_and_each_kernel_at_each_size() { # test
    report r.json
    says out "multiply-adds"
    says out "matmul, 2 * n * n * n FLOPs"
    for word in '"bench":	"device"' '"copy_gbs"' '"share_of_limit"' '"flops":	65536' '"flops":	4194304'; do
        says r.json "$word" # 2 n^3 of 32 and of 128
    done
    [ "$(grep -c '"unit"' r.json)" = 4 ] || complain "expected two kernels at two sizes each"
    [ -s pictures/report.html ] || complain "no page"
    says pictures/report.html "At the largest size, on cpu"
}

an_emulated_device_is_labelled() { # test
    needs_benches
    run "$LAB" bench --device cpu,emulated --quick --threads 1 --only add --plot none --out pictures --json r.json
    gave 0
    [ "$(grep -c '^EMULATED: ' out)" = 2 ] || complain "expected the warning before and after"
    says out "with transfers"
    says out "its times mean nothing"
    says r.json '"emulated":	true'
    says r.json '"emulated with transfers"'
    says pictures/report.html "emulated: times mean nothing"
}

a_loop_trains_and_decodes_on_each_device() { # test
    needs_benches
    run "$LAB" bench --device cpu,emulated --quick --threads 1 --only train_autoencoder,gpt_decode --plot none \
        --out pictures --json r.json
    gave 0
    says out "train_autoencoder"
    says out "gpt_decode small"
    says r.json '"kind":	"training"'
    says r.json '"kind":	"inference"'
    says r.json '"faster_with_transfers"' # the batch; a decoding step has its own
}

pictures_are_drawn() { # test
    needs_benches
    command -v gnuplot >/dev/null || skip "no gnuplot" "./lab setup"
    run "$LAB" bench --device cpu,emulated --quick --threads 1 --only add,exp --plot png --out 'my pictures'
    gave 0
    for name in roofline-cpu roofline-emulated crossing-kernels-emulated crossing-kernels-emulated-with-transfers; do
        [ "$(head -c 4 "my pictures/$name.png" | tail -c 3)" = PNG ] || complain "no picture $name"
    done
}

a_gpu_that_is_not_there_is_refused_in_a_sentence() { # test
    needs_benches
    run "$LAB" bench --device cpu,cuda --quick --only add --plot none
    [ "$status" != 0 ] || skip "there is a GPU" "a machine without one"
    gave 1
    [ "$(wc -l <err)" = 1 ] || complain "expected one line"
    says err "--device cuda: "
}

without_a_name_it_lists_the_benchmarks() { # test
    run "$LAB" bench
    gave 0
    says out "./lab bench all"
    says out "gpu_kernels"
    run "$LAB" bench --quick
    gave 2
    says err "which one?"
}

wrong_options_are_refused() { # test
    needs_benches
    run "$LAB" bench --device gpu
    gave 2
    says err "'gpu' is not one of"
    run "$LAB" bench --device cpu,cpu --only add
    gave 1
    says err "'cpu' is there twice"
    run "$LAB" bench --device cpu --only matmull
    gave 1
    says err "did you mean 'matmul'?"
    run "$LAB" bench --device cuda,cuda:1 --only add
    gave 1
    run "$LAB" bench --device cpu --only ''
    gave 1
    says err "'' is neither a kernel nor a loop"
    run "$LAB" bench --device cpu --quick --only add --plot none --json no/such/folder.json
    gave 1
    says err "no/such"
}

a_report_into_a_folder_has_the_name_of_the_machine() { # test
    mkdir kept
    report kept
    [ "$(find kept -type f | wc -l)" = 1 ] || complain "expected one file"
    [ ! -e kept/device.json ] || complain "it has no machine's name"
}

bench_help_names_both_ways_to_compare() { # test
    needs_benches
    run "$LAB" bench --help
    gave 0
    says out "--device cpu,cuda"
    says out "--compare A.json B.json"
}

two_reports_are_compared_row_by_row() { # test
    report 'a b.json'
    sed 's/"seconds":	\([0-9.e+-]*\)/"seconds":	1/' 'a b.json' >a.json
    sed 's/"seconds":	\([0-9.e+-]*\)/"seconds":	4/' 'a b.json' >b.json
    run "$LAB" bench --compare a.json b.json
    gave 0
    says out "B is 0.25 times as fast, the geometric mean of 4 rows"
    run "$LAB" bench --compare b.json a.json
    says out "B is 4 times as fast, the geometric mean of 4 rows"
    run "$LAB" bench --compare 'a b.json' a.json # a path with a space
    gave 0
    says out "A  a b.json"
    says out "commit "
    says out "GB/s measured"
    says out "$(date -u +%Y-)"
}

what_only_one_report_has_is_listed() { # test
    report a.json
    sed 's/"name":	"matmul"/"name":	"matmul_new"/' a.json >b.json
    run "$LAB" bench --compare a.json b.json
    gave 0
    says out "only in A: matmul 32, matmul 128"
    says out "only in B: matmul_new 32, matmul_new 128"
}

a_device_of_one_report_is_held_against_the_first_of_the_other() { # test
    report a.json
    sed 's/"cpu":	{/"cuda:0":	{/; s/"name":	"cpu"/"name":	"cuda:0"/; s/"what":	".*"/"what":	"NVIDIA H200, driver 570, CUDA 12.8"/' a.json >b.json
    run "$LAB" bench --compare a.json b.json
    gave 0
    says out "A: cpu on "
    says out "B: cuda:0 on "
    says out "cuda:0: NVIDIA H200, driver 570, CUDA 12.8"
}

refuses() { # sentence, then the reports
    sentence=$1
    shift
    run "$LAB" bench --compare "$@"
    [ "$status" != 0 ] || complain "it was compared"
    [ "$(wc -l <err)" = 1 ] || complain "expected one line"
    says err "$sentence"
    ! grep -q "$(printf '\033')" err || complain "the file's escape reached the terminal"
}

what_is_no_report_is_refused_in_a_sentence() { # test
    report a.json
    refuses "a.json and ./a.json are the same file" a.json ./a.json
    refuses "1 reports were named, expected two" a.json
    refuses "0 reports were named, expected two"
    refuses "none.json" a.json none.json
    echo '{"bench": "device"' >cut.json
    refuses "cut.json:" a.json cut.json
    : >empty.json
    refuses "empty.json" a.json empty.json
    echo '[1]' >list.json
    refuses "list.json" a.json list.json
    echo '{"bench": "sgemm\u001b[31m", "results": []}' >other.json
    refuses "other.json: is a report of 'sgemm" a.json other.json
    sed 's/"format":	1/"format":	2/' a.json >later.json
    refuses "later.json: has format 2" a.json later.json
    sed 's/"cpu":	{/"gpu":	{/' a.json >without.json
    refuses "without.json: result 1: has no time on cpu" a.json without.json
    sed 's/"seconds":	[0-9.e+-]*/"seconds":	-1/' a.json >negative.json
    refuses "negative.json: result 1" a.json negative.json
    sed 's/"n":	32/"n":	"many"/' a.json >many.json
    refuses "many.json: result" a.json many.json
    mkdir folder.json
    refuses "folder.json" a.json folder.json
}

the_ladder_is_estimated_rung_by_rung() { # test
    needs_benches
    run "$LAB" bench gpu_kernels --quick --json r.json
    gave 0
    says out "ESTIMATED by the roofline of H200 SXM, not measured"
    says out "matmul_tiled"
    says out "(kernels/cuda/wgmma.cu): needs sm_90a"
    [ "$(grep -c '"faster_than_before"' r.json)" = 8 ] || complain "expected 2 transposes, a sum and 5 products"
    run "$LAB" bench gpu_kernels.matmul_tiled --quick --gpu a100
    gave 0
    says out "A100"
    never_says out "matmul_naive"
}

a_learners_rungs_are_estimated_beside_the_reference() { # test
    needs_benches
    mkdir -p mine/gpu_kernels
    # vector_add in which each thread takes neighbouring elements: right, with more sectors
    sed '/\/\/ solution /d; /\/\/ end /d' "$ROOT/labs/2_core/gpu_kernels/gpu_kernels.cu" >mine/gpu_kernels/gpu_kernels.cu
    run "$LAB" bench gpu_kernels.transpose_naive --quick --mine
    gave 0
    says out "Yours, ESTIMATED in the same way"
    grep -A 4 "Yours, EST" out | grep -q 'transpose_naive .* 1\.00' || complain "the reference is not as fast as itself"
    sed -i 's/y\[c \* rows + r\] = x\[r \* cols + c\];/y[c * rows + r] = 0 * x[0] + x[r * cols + c];/' \
        mine/gpu_kernels/gpu_kernels.cu
    run "$LAB" bench gpu_kernels.transpose_naive --quick --mine
    gave 0
    grep -A 4 "Yours, EST" out | grep -q 'transpose_naive .* 0\.' || complain "a slower kernel is not slower"
}

run_sentence "$@"
