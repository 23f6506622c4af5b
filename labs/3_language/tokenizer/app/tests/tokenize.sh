#!/bin/sh
# The tokenizer as a program. Needs LAB and ROOT.
# shellcheck disable=SC2015,SC2154,SC2317 # `a && b || c` is meant; names of sentences.sh; called by name
. "$ROOT/tests/driver/sentences.sh"
[ -e "$(dirname "$LAB")/labs/tokenize" ] || skip "no tokenize" "./lab setup"
fixtures=$ROOT/labs/3_language/tokenizer/app/tests/fixtures

tokenize() { run "$(dirname "$LAB")/labs/tokenize" "$@"; }
is() { # file text
    printf '%s' "$2" | cmp -s - "$1" || complain "'$1' is not: $2"
}

encoding_prints_ids_and_decoding_the_text() { # test
    printf 'The <|endoftext|> 中\n' >text
    tokenize encode "$fixtures/gpt2.json" text
    gave 0
    # shellcheck disable=SC2046 # a list of numbers
    tokenize decode "$fixtures/gpt2.json" $(cat out)
    gave 0
    cmp text out || complain "the text is another"
}

special_tokens_are_parsed_when_asked() { # test
    tokenize encode "$fixtures/gpt2.json" --text '<|endoftext|>' --parse-special
    gave 0
    is out '0
'
    tokenize encode "$fixtures/gpt2.json" --text '<|endoftext|>'
    gave 0
    [ "$(wc -w <out)" -gt 3 ] || complain "one id"
    tokenize decode "$fixtures/gpt2.json" 0 39
    is out G
    tokenize decode "$fixtures/gpt2.json" --special 0 39
    is out '<|endoftext|>G'
}

bos_is_added_when_asked() { # test
    tokenize encode "$fixtures/llama2.json" --text '' --special
    gave 0
    is out '1
'
}

pieces_are_shown_whole() { # test
    tokenize encode "$fixtures/gpt2.json" --pieces --text ' the 🦙'
    gave 0
    says out '␣the'
    says out '\xf0'
}

a_trained_tokenizer_is_saved_and_opened() { # test
    printf 'low low low lower newest newest widest\n' >text
    tokenize train mine.json text --vocabulary 264
    gave 0
    says out 'mine.json: 264 tokens, byte-level BPE, 7 merges'
    tokenize count mine.json text
    gave 0
    says out '39 bytes'
    tokenize encode mine.json --lines text
    gave 1
    says err 'line 1 is not a JSON text'
}

wrong_use_gets_a_sentence() { # test
    tokenize
    gave 2
    says err 'no command was given; there are encode, decode, count, train'
    tokenize encdoe x
    gave 2
    says err "no command 'encdoe'; did you mean 'encode'?"
    tokenize encode
    gave 2
    says err 'encode: no tokenizer was given'
    tokenize encode nothing.json --text x
    gave 1
    says err 'nothing.json: No such file'
    tokenize decode "$fixtures/gpt2.json" 1 99999
    gave 1
    says err "'99999' is not a token id, expected a number below 700"
    tokenize decode "$fixtures/gpt2.json" 12x
    gave 1
    says err "'x' is not a token id"
    tokenize encode "$fixtures/gpt2.json" --text x more
    gave 1
    says err "encode takes one text, and 'more' is another"
    printf '"a\\u0000b"\n' >lines
    tokenize encode "$fixtures/gpt2.json" --lines lines
    gave 1
    says err 'line 1 holds \u0000'
    printf '1\0002' >ids
    status=0
    "$(dirname "$LAB")/labs/tokenize" decode "$fixtures/gpt2.json" <ids >out 2>err || status=$?
    gave 1
    says err 'standard input: holds a byte 0'
    tokenize train mine.json nothing.txt
    gave 1
    says err 'nothing.txt: cannot be read: No such file'
    [ ! -e mine.json ] || complain "a file was left"
    printf '"a"\n"b" 7\n' >lines
    tokenize encode "$fixtures/gpt2.json" --lines lines
    gave 1
    says err 'line 2 is not a JSON text'
    printf '"a"\000 "b"\n' >lines
    status=0
    "$(dirname "$LAB")/labs/tokenize" encode "$fixtures/gpt2.json" --lines lines >out 2>err || status=$?
    gave 1
    says err 'line 1 is not a JSON text'
}

lines_are_json_texts() { # test
    printf '"\\\\u0000"\n "\\u0041\\n" \n""' >lines # \u0000 as characters; A and a new line; nothing
    tokenize encode "$fixtures/gpt2.json" --lines lines
    gave 0
    cp out ids
    tokenize encode "$fixtures/gpt2.json" --text '\u0000'
    [ "$(head -1 ids)" = "$(cat out)" ] || complain "another text"
    [ "$(wc -l <ids)" = 3 ] || complain "not three lines"
    [ "$(sed -n 3p ids)" = "" ] || complain "ids of no text"
}

truncation_and_padding_are_reported() { # test
    sed 's/"truncation":null/"truncation":{"max_length":1}/' "$fixtures/gpt2.json" >cut.json
    tokenize encode cut.json --text 'cut or not'
    gave 0
    [ "$(wc -w <out)" -gt 1 ] || complain "the text was cut"
    says err 'cut.json: encoded without its truncation'
    sed -i 's/"padding":null/"padding":{"pad_id":0}/' cut.json
    tokenize count cut.json </dev/null
    gave 0
    says err 'cut.json: encoded without its truncation and padding'
    tokenize decode cut.json 1
    [ ! -s err ] || complain "a sentence about nothing"
    tokenize encode "$fixtures/gpt2.json" --text x
    [ ! -s err ] || complain "a sentence about nothing"
}

run_sentence "$@"
