#!/bin/sh
# Text from a model, by the programs. Needs LAB and ROOT.
# shellcheck disable=SC2015,SC2154,SC2317 # `a && b || c` is meant; names of sentences.sh; called by name
. "$ROOT/tests/driver/sentences.sh"
[ -e "$(dirname "$LAB")/labs/generate" ] || skip "no generate" "./lab setup"
data=${LAB_DATA:-$ROOT/data}
stories=$ROOT/../shared/data/stories260k/stories260K.bin
[ -e "$data/stories260k/stories260K.bin" ] && stories=$data/stories260k/stories260K.bin
smollm2=$data/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf

generate() { run "$LAB" generate "$@"; }
chat() { run "$LAB" chat "$@"; }

needs_stories() { [ -e "$stories" ] || skip "no stories260k" "LAB_DATA=... ./lab test"; }
needs_smollm2() { [ -e "$smollm2" ] || skip "no SmolLM2" "./lab data get smollm2"; }

a_text_is_continued() { # test
    needs_stories
    generate "$stories" --prompt "Once upon a time" --tokens 20
    gave 0
    says out 'Once upon a time, there was a little girl named Lily.'
    says err '20 output tokens'
}

a_text_is_the_same_for_any_blocks_and_neighbours() { # test
    needs_stories
    generate "$stories" --temperature 1 --tokens 60 --seed 3
    cp out first
    for how in "--block-size 1" "--requests 9 --chunk 1" "--drafts 4" "--prefix-cache none --threads 1"; do
        # shellcheck disable=SC2086 # two words
        generate "$stories" --temperature 1 --tokens 60 --seed 3 $how
        cmp first out || complain "another text with $how"
    done
}

choices_share_a_prompt() { # test
    needs_stories
    generate "$stories" --prompt "Tim had a" --temperature 1 --tokens 10 --choices 3
    gave 0
    says out '[0] Tim had a'
    says out '[2] Tim had a'
}

the_best_texts_of_a_beam_search_come_with_their_scores() { # test
    needs_stories
    generate "$stories" --prompt "Tim had a" --tokens 10 --beams 4 --choices 2 --cache f32
    gave 0
    says out '[0, score -'
    says out '[1, score -'
    generate "$stories" --prompt "Tim had a" --tokens 10 --beams 4 --temperature 1
    gave 1
    says err 'beam search goes with no temperature'
}

a_draft_model_changes_no_greedy_text() { # test
    needs_stories
    generate "$stories" --prompt "Tim had a" --tokens 30
    cp out first
    generate "$stories" --prompt "Tim had a" --tokens 30 --draft "$stories" --drafts 3
    gave 0
    says err '(100 %)'
    cmp first out || complain "another text with a draft model"
    generate "$stories" --draft random:15m
    gave 1
    says err 'the draft model has 32000 tokens'
    generate "$stories" --draft /no/such/model.gguf
    gave 1
    says err '/no/such/model.gguf'
}

a_continuation_begins_with_its_space() { # test
    needs_stories
    generate "$stories" --prompt "Tim had a" --tokens 8
    says out 'Tim had a big'
}

a_stop_string_is_not_shown() { # test
    needs_stories
    generate "$stories" --tokens 60 --stop "Lily"
    gave 0
    says out 'a little girl named'
    never_says out 'Lily'
}

a_page_shows_the_blocks_step_by_step() { # test
    needs_stories
    generate "$stories" --prompt "Tim" --tokens 20 --requests 30 --block-size 4 --cache-mb 1 --replay page.html
    gave 0
    says page.html '<title>Paged KV cache, step by step</title>'
    says page.html '"name":"B","tokens":'
    says page.html '"name":"*","tokens":'
    generate "$stories" --tokens 3 --replay /no/such/page.html
    gave 1
    says err '/no/such/page.html'
}

a_question_is_answered() { # test
    needs_smollm2
    chat smollm2 --say "What is the capital of France?"
    gave 0
    says out 'The capital of France is Paris.'
}

a_second_turn_finds_the_first_in_the_prefix_cache() { # test
    needs_smollm2
    printf 'Name a colour.\nAnother one.\n' >turns
    "$LAB" chat smollm2 --temperature 0 --tokens 16 <turns >out 2>err
    never_says err '(0 found'
}

what_cannot_be_is_refused_in_a_sentence() { # test
    generate
    gave 2
    says err 'takes one model'
    generate /no/such/model.gguf
    gave 1
    says err '/no/such/model.gguf'
    generate smollm3
    gave 1
    says err 'smollm3'
    generate mnist
    gave 1
    says err 'mnist'
    needs_stories
    generate "$stories" --temperature -1
    gave 2
    generate "$stories" --stop ""
    gave 1
    says err 'stop string 0 is empty'
    generate "$stories" --tokens 4000
    gave 1
    says err 'the context has room for'
    generate "$stories" --cache q8_0
    gave 1
    says err 'heads of a multiple of 32'
    chat "$stories"
    gave 1
}

run_sentence "$@"
