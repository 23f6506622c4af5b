#!/bin/sh
# The replay as a program. Needs LAB and ROOT.
# shellcheck disable=SC2015,SC2154,SC2317 # `a && b || c` is meant; names of sentences.sh; called by name
. "$ROOT/tests/driver/sentences.sh"
[ -e "$(dirname "$LAB")/labs/replay" ] || skip "no replay" "./lab setup"
traces=$ROOT/labs/5_frontier/paged_kv/app/tests/fixtures

replay() { run "$LAB" replay "$@"; }

without_arguments_it_serves_conversations() { # test
    replay
    gave 0
    says out '1000 requests (chat), 1 replica of 4000 blocks of 16 tokens, prefix cache: radix'
    says out 'found in the prefix cache'
    says out 'tail'
    cp out first
    replay
    cmp first out || complain "another run differs"
}

a_trace_is_served() { # test
    replay "$traces/nano_vllm.jsonl" --blocks 8192
    gave 0
    says out '133966'
    says out '256 requests'
}

routes_are_compared() { # test
    replay --replicas 3 --requests 200
    gave 0
    says out 'round-robin'
    says out 'least-loaded'
    says out 'infinite cache'
    replay --replicas 3 --requests 200 --route prefix
    gave 0
    never_says out 'round-robin'
}

the_papers_figures_stand_beside_ours() { # test
    replay --paper --requests 300
    gave 0
    says out 'Orca Oracle'
    says out '96.3 %'
    says out 'beam search'
}

a_log_replays_to_the_same_bytes() { # test
    replay --requests 50 --blocks 300 --rate 20 --watermark 2 --log events.jsonl
    gave 0
    says events.jsonl '"event":"preempted"'
    replay --verify events.jsonl
    gave 0
    says out "$(wc -l <events.jsonl) lines, identical in this run"
    sed '100s/"step":/"step":1/' events.jsonl >changed.jsonl
    replay --verify changed.jsonl
    gave 1
    says err 'changed.jsonl: line 100 differs in this run'
    head -n 200 events.jsonl >short.jsonl
    replay --verify short.jsonl
    gave 1
    says err 'short.jsonl: line 201 differs in this run'
}

a_request_that_never_fits_is_refused_with_a_sentence() { # test
    printf '{"timestamp":0,"input_length":5000,"output_length":9}\n{"timestamp":1,"input_length":50,"output_length":9}\n' >trace.jsonl
    replay trace.jsonl --blocks 100
    gave 0
    says out '5009 tokens need 313 blocks of 16, and the cache has 100'
}

wrong_use_gets_a_sentence() { # test
    replay nothing.jsonl
    gave 1
    says err 'nothing.jsonl: cannot be read: No such file'
    replay a b
    gave 2
    says err "takes one trace, but 'b' is a second one"
    replay --replicas 2 --log x
    gave 2
    says err '--log needs one replica'
    echo '{"timestamp":0}' >trace.jsonl
    replay trace.jsonl
    gave 1
    says err 'trace.jsonl:1: "input_length" is missing'
    replay --verify trace.jsonl
    gave 1
    says err 'trace.jsonl: does not begin as a log of this program'
    replay --blocks 0
    gave 2
    replay --log no/such/folder/x
    gave 1
}

run_sentence "$@"
