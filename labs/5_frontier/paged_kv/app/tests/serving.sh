#!/bin/sh
# lab serve, as a client sees it. Needs LAB and ROOT.
# shellcheck disable=SC2015,SC2154,SC2317 # `a && b || c` is meant; names of sentences.sh; called by name
. "$ROOT/tests/driver/sentences.sh"
. "$ROOT/labs/5_frontier/paged_kv/app/tests/models.sh"
. "$ROOT/labs/5_frontier/paged_kv/app/tests/server.sh"
needs_program serve
program=$(dirname "$LAB")/labs/serve
templates=$ROOT/labs/5_frontier/paged_kv/app/tests/fixtures/chat.json

begin_stories() { # options...
    needs_stories
    begin "$program" "$stories" --name story "$@"
}
begin_smollm2() { # options...
    needs_smollm2
    begin "$program" "$smollm2" "$@"
}
# A model that takes its time.
begin_slow() { begin "$program" random:42m:Q4_0 --name slow --threads 1 --activations f32 "$@"; }

# The pieces of a stream, each choice's together.
stream_text() {
    sed -n 's/^data: \({.*\)/\1/p' "$1" | jq -s -rj '[.[].choices[]] | group_by(.index)[] |
        (map(.text // .delta.content // "") | add), "|"'
}
metric() { curl -sS "$url/metrics" | sed -n "s/^lab_$1 //p"; }

# ---- texts ----

a_text_is_continued() { # test
    begin_stories
    ask /v1/completions '{"model": "story", "prompt": "Once upon a time", "max_tokens": 11, "temperature": 0}'
    answers 200
    [ "$(text_of answer)" = ', there was a little girl named Lily.|' ] || complain "$(cat answer)"
    [ "$(jq -c '[.object, .choices[0].finish_reason, .usage.completion_tokens, .usage.prompt_tokens]' answer)" = \
        '["text_completion","length",11,5]' ] || complain "$(cat answer)"
    ends_cleanly
}

a_stream_has_the_same_text() { # test
    begin_stories
    for more in '"temperature": 1.5' '"n": 3' '"n": 2, "stop": [" the", "."]' '"stop": "Lily"' '"logprobs": 2' \
        '"presence_penalty": 2, "frequency_penalty": -1, "logit_bias": {"300": 2}' '"ignore_eos": true, "max_tokens": 300' \
        '"prompt": ["Tim", "A dog", [1, 300]], "n": 2' '"prompt": ""'; do
        json="{\"prompt\": \"Once upon a time\", \"max_tokens\": 60, \"seed\": 7, $more"
        # jq keeps the later of two fields; the server refuses them.
        json=$(printf '%s}' "$json" | jq -c .)
        ask /v1/completions "$json"
        answers 200
        text_of answer >whole
        reasons=$(jq -c '[.choices[].finish_reason]' answer)
        ask /v1/completions "$(printf '%s' "$json" | jq -c '. + {stream: true}')"
        answers 200
        stream_text answer >pieces
        cmp whole pieces || complain "another text in a stream: $more: $(cat whole) and $(cat pieces)"
        [ "$(sed -n 's/^data: \({.*\)/\1/p' answer | jq -s -c '[.[].choices[]] | group_by(.index) |
            map(map(.finish_reason | values))| map(if length == 1 then .[0] else "?" end)')" = "$reasons" ] ||
            complain "other reasons than $reasons: $(tail -5 answer)"
        [ "$(tail -n 2 answer)" = "data: [DONE]" ] || complain "$(tail -3 answer)"
    done
    ends_cleanly
}

characters_over_several_tokens_stay_whole() { # test
    begin_stories
    text='a🦙é中\u0007\"b'
    format="{\"type\": \"json_schema\", \"json_schema\": {\"schema\": {\"const\": \"$text\"}}}"
    ask /v1/completions "{\"prompt\": \"x\", \"max_tokens\": 60, \"stream\": true, \"response_format\": $format}"
    answers 200
    sed -n 's/^data: \({.*\)/\1/p' answer >events
    while read -r event; do printf '%s' "$event" | jq -e . >out || complain "no JSON: $event"; done <events
    [ "$(stream_text answer | tr -d '|' | jq -r .)" = "$(printf '"%s"' "$text" | jq -r .)" ] || complain "$(cat answer)"
    # Cut within a character, in both ways the same.
    ask /v1/completions "{\"prompt\": \"x\", \"max_tokens\": 5, \"stream\": true, \"response_format\": $format}"
    stream_text answer >pieces
    ask /v1/completions "{\"prompt\": \"x\", \"max_tokens\": 5, \"response_format\": $format}"
    text_of answer >whole
    cmp whole pieces || complain "$(cat whole) and $(cat pieces)"
    ends_cleanly
}

a_stop_string_over_tokens_is_not_shown() { # test
    begin_stories
    for stop in 'little girl' 'Lily' ', th' 'e girl named Lily. She'; do
        ask /v1/completions "{\"prompt\": \"Once upon a time\", \"temperature\": 0, \"max_tokens\": 40, \"stop\": \"$stop\"}"
        answers 200
        [ "$(jq -r '.choices[0].finish_reason' answer)" = stop ] || complain "$(cat answer)"
        case $(text_of answer) in *"$stop"*) complain "'$stop' is shown: $(cat answer)" ;; esac
    done
    # One that begins and does not go on is shown in the end.
    ask /v1/completions '{"prompt": "Once upon a time", "temperature": 0, "max_tokens": 11, "stop": "Lily. He", "stream": true}'
    [ "$(stream_text answer)" = ', there was a little girl named Lily.|' ] || complain "$(cat answer)"
    ends_cleanly
}

a_seed_repeats_a_text() { # test
    begin_stories
    for _ in 1 2 3; do
        ask /v1/completions '{"prompt": "Tim", "seed": 5, "max_tokens": 50}'
        text_of answer >>same
        ask /v1/completions '{"prompt": "Tim", "max_tokens": 50}'
        text_of answer >>others
    done
    [ "$(tr '\n' ' ' <same | tr '|' '\n' | sort -u | grep -c .)" = 1 ] || complain "$(cat same)"
    [ "$(tr '\n' ' ' <others | tr '|' '\n' | sort -u | grep -c .)" -gt 1 ] || complain "always the same: $(cat others)"
    ends_cleanly
}

usage_comes_last_in_a_stream() { # test
    begin_stories --block-size 4
    json='{"prompt": "Once upon a time, there was a", "max_tokens": 8, "stream": true'
    ask /v1/completions "$json}"
    never_says answer usage
    ask /v1/completions "$json, \"stream_options\": {\"include_usage\": true}}"
    sed -n 's/^data: \({.*\)/\1/p' answer | jq -s -c '[.[-1].choices, .[-1].usage.completion_tokens,
        .[-1].usage.prompt_tokens_details.cached_tokens, ([.[:-1][].usage] | unique)]' >out
    [ "$(cat out)" = '[[],8,8,[null]]' ] || complain "$(cat answer)"
    ends_cleanly
}

log_probabilities_have_the_form_of_either_api() { # test
    begin_stories
    ask /v1/completions '{"prompt": "Once", "max_tokens": 3, "logprobs": 2, "temperature": 0}'
    [ "$(jq -c '.choices[0].logprobs | [(.tokens | length), (.token_logprobs | length),
        (.top_logprobs | map(length) | unique), .text_offset[0], (.token_logprobs | map(. <= 0) | all)]' answer)" = \
        '[3,3,[2],0,true]' ] || complain "$(cat answer)"
    ends_cleanly
    begin_smollm2
    ask /v1/chat/completions '{"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 3, "logprobs": true, "top_logprobs": 3}'
    [ "$(jq -c '.choices[0].logprobs.content | [length, (map(.top_logprobs | length) | unique),
        (map(.token == (.bytes | implode)) | all)]' answer)" = '[3,[3],true]' ] || complain "$(cat answer)"
    ends_cleanly
}

json_follows_its_schema() { # test
    begin_stories
    schema='{"type": "object", "properties": {"name": {"type": "string", "maxLength": 8}, "age": {"type": "integer",
        "minimum": 0, "maximum": 120}, "kind": {"enum": ["cat", "dog"]}}, "required": ["name", "age", "kind"]}'
    for seed in 1 2 3; do
        ask /v1/completions "{\"prompt\": \"A pet: \", \"max_tokens\": 200, \"seed\": $seed,
            \"response_format\": {\"type\": \"json_schema\", \"json_schema\": {\"name\": \"pet\", \"schema\": $schema}}}"
        answers 200
        jq -r '.choices[0].text' answer | jq -e '(.name | length <= 8) and .age >= 0 and .age <= 120 and
            (.kind == "cat" or .kind == "dog")' >out || complain "$(cat answer)"
    done
    ends_cleanly
}

# ---- conversations ----

a_question_is_answered() { # test
    begin_smollm2
    for content in '"What is the capital of France?"' \
        '[{"type": "text", "text": "What is the capital "}, {"type": "text", "text": "of France?"}]'; do
        json="{\"messages\": [{\"role\": \"user\", \"content\": $content}], \"temperature\": 0, \"max_completion_tokens\": 20"
        ask /v1/chat/completions "$json}"
        answers 200
        text_of answer >whole
        says whole 'The capital of France is Paris.'
        ask /v1/chat/completions "$json, \"stream\": true}"
        stream_text answer >pieces
        cmp whole pieces || complain "$(cat pieces)"
    done
    ends_cleanly
}

a_tool_is_called() { # test
    [ -e "$templates" ] || skip "no templates" "git checkout"
    jq -j '.templates["qwen2.5"]' "$templates" >qwen.jinja
    begin_smollm2 --chat-template qwen.jinja
    tools='[{"type": "function", "function": {"name": "weather", "parameters": {"type": "object",
        "properties": {"city": {"type": "string", "maxLength": 12}}, "required": ["city"]}}},
        {"type": "function", "function": {"name": "time"}}]'
    for choice in '"required"' '{"type": "function", "function": {"name": "weather"}}'; do
        json="{\"messages\": [{\"role\": \"user\", \"content\": \"Is it raining in Paris?\"}], \"tools\": $tools, \"seed\": 1,
            \"tool_choice\": $choice, \"max_tokens\": 200"
        ask /v1/chat/completions "$json}"
        answers 200
        jq -e '.choices[0] | .finish_reason == "tool_calls" and .message.content == null and
            (.message.tool_calls[0].function | (.arguments | fromjson | type) == "object" and
            (.name == "weather" or .name == "time"))' answer >out || complain "$(cat answer)"
        jq -c '.choices[0].message.tool_calls[0].function' answer >whole
        ask /v1/chat/completions "$json, \"stream\": true}"
        sed -n 's/^data: \({.*\)/\1/p' answer | jq -s -c '[.[].choices[].delta.tool_calls[]?][0].function' >pieces
        cmp whole pieces || complain "$(cat answer)"
    done
    ask /v1/chat/completions "$json, \"response_format\": {\"type\": \"json_object\"}}"
    answers 400
    # With "auto" it may answer in words: as a stream the same.
    json="{\"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}], \"tools\": $tools, \"temperature\": 0, \"max_tokens\": 30"
    ask /v1/chat/completions "$json}"
    text_of answer >whole
    ask /v1/chat/completions "$json, \"stream\": true}"
    stream_text answer >pieces
    cmp whole pieces || complain "$(cat whole pieces)"
    ends_cleanly
}

a_model_without_a_template_says_so() { # test
    begin_stories
    ask /v1/chat/completions '{"messages": [{"role": "user", "content": "Hi"}]}'
    answers 400
    says answer 'use /v1/completions'
    ends_cleanly
}

# ---- what is refused ----

what_cannot_be_is_refused_by_its_name() { # test
    begin_stories --body-kb 64
    while IFS=' ' read -r expected says body; do
        ask /v1/completions "$body"
        answers "$expected"
        jq -e '.error.message | length > 10' answer >out || complain "$(cat answer)"
        says answer "$says"
    done <<'END'
400 JSON {"prompt": "a",
400 object []
400 prompt {}
400 prompt {"prompt": 5}
400 prompt {"prompt": []}
400 prompt {"prompt": ["a", 5]}
400 prompt {"prompt": [5, 1e9]}
400 prompt {"prompt": [0.5]}
400 temperature {"prompt": "a", "temperature": -1}
400 temperature {"prompt": "a", "temperature": "hot"}
400 temperature {"prompt": "a", "temperature": 1e999}
400 top_p {"prompt": "a", "top_p": 0}
400 top_k {"prompt": "a", "top_k": -2}
400 max_tokens {"prompt": "a", "max_tokens": 0}
400 max_tokens {"prompt": "a", "max_tokens": -1}
400 max_tokens {"prompt": "a", "max_tokens": 1e300}
400 max_tokens {"prompt": "a", "max_tokens": 1.5}
400 context {"prompt": "a", "max_tokens": 1000000000}
400 n: {"prompt": "a", "n": 0}
400 n: {"prompt": "a", "n": 100000}
400 seed {"prompt": "a", "seed": 1e20}
400 stop {"prompt": "a", "stop": ""}
400 stop {"prompt": "a", "stop": [1]}
400 logprobs {"prompt": "a", "logprobs": 21}
400 logit_bias {"prompt": "a", "logit_bias": {"x": 1}}
400 logit_bias {"prompt": "a", "logit_bias": {"99999999999999999999": 1}}
400 logit_bias {"prompt": "a", "logit_bias": {"5": 101}}
400 stream {"prompt": "a", "stream": 1}
400 stream_options.include {"prompt": "a", "stream_options": {"include": true}}
400 echo {"prompt": "a", "echo": true}
400 best_of {"prompt": "a", "best_of": 3}
400 suffix {"prompt": "a", "suffix": "b"}
400 mirostat {"prompt": "a", "mirostat": 2}
400 twice {"prompt": "a", "n": 1, "n": 2}
400 response_format {"prompt": "a", "response_format": {"type": "xml"}}
400 pattern {"prompt": "a", "response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "string", "pattern": "a"}}}}
400 u0000 {"prompt": "a\u0000b"}
404 other {"prompt": "a", "model": "other"}
END
    printf '{"prompt": "\377"}' >body
    ask /v1/completions @body
    answers 400
    says answer UTF-8
    { printf '{"prompt": '; printf '%100000s' '' | tr ' ' '['; } >body
    ask /v1/completions @body
    answers 413
    { printf '{"prompt": '; printf '%50000s' '' | tr ' ' '['; } >body
    ask /v1/completions @body
    answers 400
    ask /v1/completions '{"prompt": "a", "user": "u", "metadata": {"a": "b"}, "suffix": null, "echo": false, "best_of": 1, "top_k": -1}'
    answers 200
    code=$(curl -sS -o answer -w '%{http_code}' "$url/v1/completions")
    answers 405
    ask /v2/completions '{}'
    answers 404
    curl -sS -o answer -w '%{http_code}' "$url/v1/completions" -H 'Transfer-Encoding: chunked' -H 'Expect:' --data-binary @- <"$program" >out || :
    says out 4
    [ "$(metric blocks_held)" = 0 ] || complain "blocks are held"
    ends_cleanly
}

a_key_is_needed_where_one_is_set() { # test
    echo secret-key >key
    begin_stories --api-key-file key
    json='{"prompt": "a", "max_tokens": 1}'
    for given in secret-ke secret-keysecret-key secret-key2 '' Secret-key; do
        ask /v1/completions "$json" -H "Authorization: Bearer $given"
        answers 401
    done
    ask /v1/completions "$json"
    answers 401
    code=$(curl -sS -o answer -w '%{http_code}' "$url/metrics")
    answers 401
    code=$(curl -sS -o answer -w '%{http_code}' "$url/health")
    answers 200
    ask /v1/completions "$json" -H 'Authorization: Bearer secret-key'
    answers 200
    ends_cleanly
    : >key
    run "$program" "$stories" --api-key-file key --port 0
    gave 1
    says err 'the key is not a word'
}

a_page_of_another_host_is_refused() { # test
    begin_stories
    for origin in http://evil.example https://localhost.evil.example null; do
        ask /v1/completions '{"prompt": "a"}' -H "Origin: $origin"
        answers 403
    done
    ask /v1/completions '{"prompt": "a"}' -H "Origin: $url"
    answers 200
    ends_cleanly
}

# ---- load, and the end ----

too_many_requests_are_refused_with_a_retry_after() { # test
    begin_slow --requests 2 --sequences 2
    ask /v1/completions '{"prompt": "a", "n": 3}'
    answers 400
    json='{"prompt": "a", "max_tokens": 1000, "n": 2}'
    curl -sS -o one "$url/v1/completions" -d "$json" &
    one=$!
    sleep 0.5
    ask /v1/completions "$json"
    answers 429
    says head 'Retry-After: 1'
    says answer rate_limit_error
    kill $one
    for _ in $(seq 50); do
        [ "$(metric requests_cancelled_total)" = 1 ] && break
        sleep 0.1
    done
    ask /v1/completions '{"prompt": "a", "max_tokens": 2}'
    answers 200
    ends_cleanly
}

a_client_that_goes_frees_its_blocks() { # test
    begin_slow
    for stream in true false; do
        curl -sS -o one --max-time 1 "$url/v1/completions" \
            -d "{\"prompt\": \"a\", \"max_tokens\": 1000, \"n\": 4, \"stream\": $stream}" 2>err || :
    done
    for _ in $(seq 50); do
        [ "$(metric requests_cancelled_total)" = 2 ] && [ "$(metric blocks_held)" = 0 ] && break
        sleep 0.1
    done
    [ "$(metric blocks_held)" = 0 ] || complain "blocks are held"
    [ "$(metric requests_cancelled_total)" = 2 ] || complain "$(curl -sS "$url/metrics")"
    ends_cleanly
}

an_answer_that_takes_too_long_is_ended() { # test
    begin_slow --answer-seconds 1
    ask /v1/completions '{"prompt": "a", "max_tokens": 1000}'
    answers 408
    ask /v1/completions '{"prompt": "a", "max_tokens": 1000, "stream": true}'
    answers 200
    says answer timeout_error
    never_says answer DONE
    ends_cleanly
}

sigterm_answers_what_has_begun() { # test
    begin_slow
    curl -sS -N -o one "$url/v1/completions" -d '{"prompt": "a", "max_tokens": 80, "stream": true}' &
    one=$!
    for _ in $(seq 50); do
        [ -s one ] && break
        sleep 0.1
    done
    kill "$server"
    sleep 0.2
    ask /v1/completions '{"prompt": "a", "max_tokens": 1}' --max-time 5 2>err
    case $code in 503 | curl*) ;; *) complain "a new request was answered: $code" ;; esac
    wait $one || complain "the stream was cut"
    says one '[DONE]'
    has_ended
    gave 0
}

a_second_signal_ends_it_at_once() { # test
    begin_slow
    curl -sS -N -o one "$url/v1/completions" -d '{"prompt": "a", "max_tokens": 1000, "stream": true}' &
    sleep 1
    kill "$server"
    sleep 0.3
    kill "$server"
    has_ended
    gave 1
    says log 'second signal'
    wait
    says one 'shutting down'
}

the_page_and_the_metrics_are_there() { # test
    begin_stories
    ask /v1/completions '{"prompt": "Once", "max_tokens": 5}'
    curl -sS "$url/" >out
    says out '<!doctype html>'
    curl -sS "$url/blocks" >blocks
    sleep 0.3
    ask /v1/completions '{"prompt": "Once", "max_tokens": 5}'
    curl -sS "$url/blocks" | jq -e '.block_size == 16 and (.blocks | length > 10)' >out
    curl -sS "$url/metrics" >out
    says out 'lab_time_to_first_token_seconds_count 2'
    says out 'lab_inter_token_gap_seconds_bucket{le="+Inf"} 8'
    ends_cleanly
}

what_keeps_it_from_starting_is_one_sentence() { # test
    begin_stories
    run "$program" "$stories" --port "${url##*:}"
    gave 1
    says err 'Address already in use'
    run "$program" "$stories" --host example.com
    gave 1
    says err 'is no IP address'
    run "$program"
    gave 2
    run "$program" "$stories" --chat-template /no/such/file
    gave 1
    says err '/no/such/file'
    ends_cleanly
}

run_sentence "$@"
