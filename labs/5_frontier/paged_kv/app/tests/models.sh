# shellcheck shell=sh
# models.sh -- the models that the tests run, where they are; sourced after sentences.sh. Needs LAB and ROOT.
data=${LAB_DATA:-$ROOT/data}
stories=$ROOT/../shared/data/stories260k/stories260K.bin
[ ! -e "$data/stories260k/stories260K.bin" ] || stories=$data/stories260k/stories260K.bin
smollm2=$data/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf

needs_program() { [ -x "$(dirname "$LAB")/labs/$1" ] || skip "no $1" "./lab setup"; } # name
needs_stories() { [ -e "$stories" ] || skip "no stories260k" "LAB_DATA=... ./lab test"; }
needs_smollm2() { [ -e "$smollm2" ] || skip "no SmolLM2" "./lab data get smollm2"; }
