#!/bin/sh
# The calculator as a program: what it answers, how it is printed, and what it refuses.
# Needs LAB and ROOT.
# shellcheck disable=SC2015,SC2154,SC2317 # `a && b || c` is meant; names of sentences.sh; called by name
. "$ROOT/tests/driver/sentences.sh"
[ -e "$(dirname "$LAB")/labs/keynumbers" ] || skip "no keynumbers" "./lab setup"
needs jq

numbers() { run "$LAB" keynumbers "$@"; }

# The value at a path of the JSON in `out`.
json() { jq -c ".$1" out; }
has() { [ "$(json "$1")" != null ] || complain "there is no $1"; }

is() { # PATH VALUE
    got=$(json "$1")
    [ "$got" = "$2" ] || complain "$1 is $got, expected $2"
}

config() { # writes a config.json of Llama-3.1-8B's shape
    cat >config.json <<END
{ "model_type": "llama",
  "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32,
  "num_key_value_heads": 8, "vocab_size": 128256, "tie_word_embeddings": false,
  "max_position_embeddings": 131072, "torch_dtype": "bfloat16" }
END
}

a_model_of_the_catalogue_is_counted_exactly() { # test
    numbers llama-3.1-8b
    gave 0
    says out '8,030,261,248'
    says out '131,072 B'
    says out 'GiB'
}

a_folder_gives_its_name_to_the_model() { # test
    mkdir "a model" other
    config && cp config.json "a model" && mv config.json other
    numbers "a model/" --show inference
    gave 0
    says out 'a model in bf16 fits'
    numbers other/config.json "a model" --compare --csv
    says out 'other'
    numbers "a model" --json
    is model.name '"a model"'
}

the_json_has_what_other_programs_read() { # test
    numbers llama-3.1-8b --json --weights q4_k_m --kv q8_0 --context 8k --batch 4
    gave 0
    is parameters.total 8030261248
    is parameters.active 8030261248
    is parameters.stored 8030261248
    is parameters.components.attn 1342177280
    is weights.format '"q4_k_m"'
    is kv_cache.bytes_per_token 69632 # 32 layers, 2 rows of 1024 numbers, 34 bytes for 32
    is kv_cache.bytes $((69632 * 8192 * 4))
    for path in weights.bytes weights.bits_per_weight training.per_gpu.total_bytes \
        compute.forward_flops_per_token 'fit.options[0].gpu'; do
        has "$path"
    done
}

a_configuration_is_read_from_its_file() { # test
    config
    numbers config.json --json
    gave 0
    is parameters.total 8030261248
    is kv_cache.bytes $((131072 * 4096))
    is model.source '"config.json"'
}

an_unknown_family_is_refused_by_its_name() { # test
    config
    sed 's/"llama"/"lalama"/' config.json >other.json
    numbers other.json
    gave 2
    says err 'lalama'
    [ ! -s out ] || complain 'something was printed'
}

a_missing_field_is_named() { # test
    config
    sed 's/"hidden_size": 4096,//' config.json >other.json
    numbers other.json --json
    gave 2
    says err 'hidden_size'
    [ ! -s out ] || complain 'something was printed'
}

a_default_for_a_missing_field_is_noted() { # test
    config
    sed 's/"num_key_value_heads": 8,//' config.json >other.json
    numbers other.json
    gave 0
    says out 'num_key_value_heads'
    numbers other.json --json
    is parameters.total $((8030261248 + 32 * 2 * 3072 * 4096)) # all 32 heads have keys and values
}

a_misspelled_name_is_refused_with_the_nearest() { # test
    numbers llama-3.1-9b
    gave 2
    says err 'llama-3.1-9b'
    numbers llama-3.1-8b --weights q4_k_n
    gave 2
    says err 'q4_k_m'
    numbers llama-3.1-8b --gpu h101-sxm
    gave 2
    says err 'h100-sxm'
    numbers llama-3.1-8b --contxt 5
    gave 2
    says err '--contxt'
    numbers llama-3.1-8b --context 5q
    gave 2
    says err "context: '5q' is not a whole number"
    numbers
    gave 2
    says err 'of which model?'
    numbers no/such/file.json
    gave 2
    says err 'no/such/file.json'
    numbers llama-3.1-8b --show weights
    gave 2
    says err "--show: 'weights' is none of"
}

each_formula_is_shown_with_its_numbers() { # test
    numbers llama-3.1-8b --explain --show parameters,inference
    gave 0
    says out 'attn 1342177280 + mlp 5637144576'
    says out 'self_attn.q_proj.weight 4096 x 4096'
    says out '= 8,030,261,248'
    says out '= 131,072 B'
    never_says out 'Which GPU'
}

the_verdict_comes_first() { # test
    numbers llama-3.1-8b --context 8k
    gave 0
    head -n 2 out | tr '\n' ' ' | grep -q 'fits one H100 SXM5 80 GB with 55 requests of 8K tokens; first limit: KV cache' ||
        complain 'the first lines are no verdict'
    numbers llama-3.1-70b --show training
    gave 0
    head -n 1 out | grep -q '^full training with adamw does not fit' || complain 'the first line is no verdict'
    numbers gpt2 llama-3.1-8b --compare --show inference
    gave 0
    head -n 1 out | grep -q '^gpt2 in fp32 fits' || complain 'the first line is no verdict'
}

an_address_of_the_hub_is_a_name() { # test
    numbers https://huggingface.co/openai-community/gpt2/tree/main --json
    gave 0
    is parameters.total 124439808
    numbers https://huggingface.co/no/such-model
    gave 2
    says err 'no/such-model'
}

a_runtime_has_a_low_and_a_high_estimate() { # test
    numbers llama-3.1-8b --runtime vllm --context 8k --json
    gave 0
    [ "$(json inference.range.work_low_bytes)" -lt "$(json inference.range.work_high_bytes)" ] ||
        complain 'low is not below high'
    says out 'top-p sorts'
    numbers llama-3.1-8b --runtime vlm
    gave 2
    says err "runtime: 'vlm' is not one of any|vllm|llama.cpp|transformers"
    numbers llama-3.1-8b --overhead 99
    gave 2
    says err "overhead: '99' is not a number from 0 to 64"
}

published_measurements_are_listed() { # test
    numbers --measurements
    gave 0
    says out 'distance'
    says out '#10511'
    numbers --measurements --json
    gave 0
    [ "$(jq length out)" -ge 20 ] || complain 'expected twenty or more'
    [ "$(jq 'map(select(.distance > 0.05 or .distance < -0.05)) | length' out)" = 0 ] || complain 'one is far off'
}

measurements_are_a_table_for_spreadsheets_too() { # test
    numbers --measurements --csv
    gave 0
    [ "$(head -n 1 out)" = what,model,measured_bytes,low_bytes,high_bytes,end,distance,source ] ||
        complain 'another head'
    rows=$(wc -l <out)
    numbers --measurements --json
    [ "$(jq length out)" = $((rows - 1)) ] || complain "$rows lines of CSV"
    numbers --measurements --json --csv
    gave 2
    says err 'one of them'
}

refused() { # SENTENCE WORDS...
    sentence=$1
    shift
    numbers "$@"
    gave 2
    says err "$sentence"
    [ "$(wc -l <err)" = 1 ] || complain "more than a line: $(cat err)"
}

a_file_of_another_kind_is_named_for_what_it_is() { # test
    printf 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n' >a.safetensors
    cp a.safetensors a.gguf
    refused 'Git LFS pointer' a.safetensors
    refused 'Git LFS pointer' a.gguf
    printf 'PK\003\004 and so on, a zip' >pytorch_model.bin
    refused 'pickled weights' pytorch_model.bin
    mkdir pickled && mv pytorch_model.bin pickled
    refused 'only pickled weights' pickled
    printf '\211PNG\r\n\032\n and so on' >a.png
    refused 'neither JSON, nor safetensors, nor GGUF' a.png
    echo '{"peft_type": "LORA", "r": 8}' >adapter_config.json
    refused 'is of an adapter' adapter_config.json
    echo '{"_class_name": "FluxPipeline", "_diffusers_version": "0.30"}' >model_index.json
    refused 'diffusion pipeline' model_index.json
}

what_people_say_gets_the_name_that_they_mean() { # test
    refused 'did you mean q4_k_m?' llama-3.1-8b --weights q4
    refused 'did you mean nf4?' llama-3.1-8b --weights 4bit
    refused 'did you mean awq4-g128?' llama-3.1-8b --weights int4
    refused 'did you mean 24?' llama-3.1-8b --memory 24GB
    refused 'did you mean --utilisation?' llama-3.1-8b --utilization 0.9
    refused '--gpus 2 --gpu "3090"' llama-3.1-8b --gpu 2x3090
    refused 'may be a100-sxm-40, a100-pcie-40' llama-3.1-8b --gpu a100-40gb
    refused 'did you mean meta-llama/Llama-3.1-70B?' llama3:70b
    refused 'Llama-2-70b-hf or meta-llama/Llama-3.1-70B?' llama70b
    refused 'a config.json of it will do' gpt-4 # not gpt2
    numbers llama-3.1-8b --gpu 'Apple M2 Ultra' --show inference
    gave 0
    says out 'M2 Ultra'
}

an_option_without_use_is_refused() { # test
    while read -r arguments; do
        # shellcheck disable=SC2086 # several words
        numbers $arguments
        gave 2
        says err 'expected'
        [ "$(wc -l <err)" = 1 ] || complain "$arguments: more than a sentence"
    done <<END
--list gpus --json
--list gpus --csv
--list gpus gpt2
--list gpus --measurements
--measurements gpt2
--measurements --explain
--serve --sweep batch=1,2
gpt2 --port 8080
gpt2 --address 127.0.0.1
gpt2 --explain --json
gpt2 --explain --csv
gpt2 mixtral-8x7b --explain
gpt2 --sweep batch=1,2 --explain
gpt2 --sweep batch=1,2 --largest
gpt2 --sweep batch=1,2 --plot charts
llama-3.1-8b --cards rtx-4090,rtx-3090 --gpu h100-sxm
END
    [ ! -e charts ] || complain 'charts were drawn'
}

parts_are_chosen_for_programs_too() { # test
    numbers gpt2 --json --show fit
    gave 0
    is model.family '"gpt2"'
    has fit
    is inference null
    is training null
    numbers gpt2 --csv --show training
    head -n 1 out | grep -q training.per_gpu || complain "no training"
    ! head -n 1 out | grep -q 'fit.here' || complain 'parts that were not asked for'
}

what_changes_nothing_is_noted() { # test
    numbers llama-3.1-8b --acceptance 0.5 --runtime llama.cpp --weights nf4 --kv fp8 --json
    gave 0
    [ "$(jq '.inference.notes | length' out)" = 3 ] || complain 'expected three notes'
    numbers llama-3.1-8b --acceptance 0.5 --show fit
    says out 'acceptance has no effect without --draft'
}

models_stand_side_by_side() { # test
    numbers --compare gpt2 mixtral-8x7b --show parameters
    gave 0
    says out 'gpt2'
    says out '124.4e6'
    says out '46.7e9'
    numbers --compare gpt2
    gave 2
    numbers gpt2 mixtral-8x7b --json
    gave 0
    is answers[0].parameters.total 124439808
    is answers[1].parameters.total 46702792704
    is model[1] '"mistralai/Mixtral-8x7B-Instruct-v0.1"'
}

a_sweep_asks_for_each_value() { # test
    numbers llama-3.1-8b --sweep context=1k..8k --json
    gave 0
    is context '["1024","2048","4096","8192"]'
    is answers[3].kv_cache.bytes $((131072 * 8192))
    numbers llama-3.1-8b --sweep weights=bf16,q4_k_m --csv
    gave 0
    [ "$(wc -l <out)" = 3 ] || complain 'expected a head and two rows'
    head -n 1 out | grep -q '^weights,model.name,' || complain 'the head is another one'
    numbers llama-3.1-8b --sweep context=1k..4k
    gave 0
    says out 'requests of n tokens at once'
    says out '439'
    says out '110'
    never_says out 'output head' # the same for all
}

a_csv_is_a_head_and_a_row() { # test
    numbers gpt2 --csv
    gave 0
    [ "$(wc -l <out)" = 2 ] || complain 'expected two lines'
    head -n 1 out | grep -q '^model.name,' || complain 'the head is another one'
    tail -n 1 out | grep -q '^openai-community/gpt2,.*,124439808,' || complain 'the row is another one'
}

a_note_that_changes_the_answer_stands_beside_every_output() { # test
    config
    sed 's/"torch_dtype"/"quantization_config": {"quant_method": "aqlm"}, "torch_dtype"/' config.json >odd.json
    for shown in parameters inference training compute fit; do
        numbers odd.json --show $shown
        gave 0
        says out 'quantization_config (aqlm)'
    done
    numbers odd.json gpt2 --compare --show fit
    says out 'quantization_config (aqlm)'
    numbers odd.json --sweep batch=1,2 --show inference
    [ "$(grep -c 'quantization_config (aqlm)' out)" = 1 ] || complain 'expected the note once'
    numbers odd.json --json
    says out 'quantization_config (aqlm)'
}

a_context_beyond_the_models_own_is_noted() { # test
    for shown in inference compute fit; do
        numbers gpt2 --show $shown
        says out 'context length of 1024'
        numbers gpt2 --context 1024 --show $shown
        never_says out 'context length of'
    done
    numbers gpt2 --json --context 1024 --sequence 2048
    is inference.note null
    is training.note '"a sequence of 2048 tokens exceeds the model'"'"'s maximum context length of 1024: use --sequence 1024"'
}

names_from_outside_cannot_steer_the_terminal() { # test
    config
    name=$(printf 'a\033[31mb')
    sed "s/bfloat16/x\\\\u001b[2J\\\\nz/" config.json >"$name.json"
    for as in --json --csv --explain; do
        numbers "$name.json" $as
        gave 0
        ! grep -q "$(printf '\033')" out || complain "$as: an escape code came through"
    done
    numbers "$name.json" gpt2 --compare
    ! grep -q "$(printf '\033')" out || complain "an escape code came through"
}

charts_are_drawn_as_svg_and_png() { # test
    needs gnuplot
    numbers qwen2.5-7b --plot charts
    gave 0
    for chart in memory_by_context memory_by_batch gpus roofline throughput; do
        grep -q '</svg>' charts/$chart.svg || complain "$chart.svg is no picture"
        [ "$(head -c 4 charts/$chart.png | tail -c 3)" = PNG ] || complain "$chart.png is no picture"
        grep -q 'context 4K\|batch 1' charts/$chart.svg || complain "$chart.svg does not say what is fixed"
    done
}

a_gpu_can_be_described_in_a_file() { # test
    numbers llama-3.1-8b --json --memory 10 --bandwidth 500 --tflops 50
    gave 0
    is inference.fits false
    printf '{"id": "mine", "name": "Mine", "memory_gb": 100, "bandwidth_gbs": 1000, "bf16_tflops": 100}' >gpu.json
    numbers llama-3.1-8b --json --gpu gpu.json
    gave 0
    is inference.fits true
    printf '{"id": "mine", "name": "Mine", "memory_gb": 100}' >gpu.json
    numbers llama-3.1-8b --gpu gpu.json
    gave 2
    says err 'bandwidth_gbs'
}

this_machines_gpu_can_be_named() { # test
    numbers llama-3.1-8b --gpu here
    [ "$status" = 0 ] || { gave 2 && says err 'NVIDIA'; }
}

a_narrow_terminal_and_a_pipe_are_served() { # test
    COLUMNS=40 numbers deepseek-v3
    gave 0
    ! grep -q "$(printf '\033')" out || complain 'escape codes in a pipe'
    awk 'length($0) > 60 { exit 1 }' out || complain 'a line is much wider than the terminal'
}

a_full_disk_is_reported() { # test
    [ -e /dev/full ] || skip "no /dev/full" "run it on Linux"
    status=0
    "$LAB" keynumbers gpt2 >/dev/full 2>err || status=$?
    gave 1
    says err 'could not be written'
}

the_learners_functions_are_used_and_announced_off_stdout() { # test
    "$LAB" start key_numbers >start.log
    numbers --mine gpt2 --json
    [ "$status" != 0 ] || complain 'it answered with nothing written'
    says err 'is not written yet'
    never_says out 'On your code'
}

run_sentence "$@"
