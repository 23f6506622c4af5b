#!/bin/sh
# layers.sh FOLDER LAYER...: in FOLDER, whose layers are folders in their order, no file includes a header
# of a later layer.
set -eu
folder=$1
shift
found=0
while [ $# -gt 1 ]; do
    layer=$1
    shift
    later=$(echo "$*" | tr ' ' '|')
    if grep -rnE "#include \"([^\"]*/)?($later)/" "$folder/$layer"; then found=1; fi
done
exit $found
