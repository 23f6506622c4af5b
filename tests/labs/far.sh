#!/bin/sh
# far.sh LAB FOLDER: the lab's smoke run on the far device, whose memory the host cannot touch, leaves the
# same files as on ref, to the byte, but for the page, which names the device. So it is ready for a GPU.
set -eu
lab=$1 out=$2
rm -rf "$out"
mkdir -p "$out"
for device in ref far; do
    "$lab" --smoke --device $device --threads 1 --plot none --out "$out/$device" >"$out/$device.txt"
done
test -e "$out/ref/metrics.jsonl"
diff -r --exclude=report.html "$out/ref" "$out/far"
