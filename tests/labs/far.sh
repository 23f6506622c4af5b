#!/bin/sh
# far.sh LAB FOLDER: the lab's smoke run on the far device, whose memory the host cannot touch, leaves the
# same files as on ref, to the byte, but for the page, which names the device. So it is ready for a GPU. With the
# CUDA kernels, emulated, its losses are ref's within 2 %: training carries on what the order of sums makes of them.
unset LAB_DATA # the labs' own data: what is tried is the device
set -eu
lab=$1 out=$2
rm -rf "$out"
mkdir -p "$out"
for device in ref far emulated; do
    "$lab" --smoke --device $device --threads 1 --plot none --out "$out/$device" >"$out/$device.txt"
done
test -e "$out/ref/metrics.jsonl"
diff -r --exclude=report.html "$out/ref" "$out/far"

for device in ref emulated; do
    { grep -o '_loss":[^,}]*' "$out/$device/metrics.jsonl" || :; } | cut -d: -f2 >"$out/$device.losses"
done
paste "$out/ref.losses" "$out/emulated.losses" | awk '
    !(NF == 2 && ($1 - $2) ^ 2 <= (0.02 * $1) ^ 2) { print "loss: ref " $1 ", emulated " $2; wrong = 1 }
    END { exit wrong }'
