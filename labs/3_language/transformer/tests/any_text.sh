#!/bin/sh
# Texts of all kinds as --data: any_text.sh TRANSFORMER FOLDER. What is refused is refused before the training.
set -eu
transformer=$1 folder=$2
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"

run() {
    "$transformer" --smoke --part train,continue --plot none --out out "$@" > out.txt 2> err.txt
}

# refused SENTENCE OPTION...
refused() {
    sentence=$1
    shift
    if run "$@"; then
        echo "$* is taken; expected: $sentence"
        exit 1
    fi
    grep -qF -- "$sentence" err.txt && test "$(wc -l < err.txt)" = 1 && ! grep -q "training loss" out.txt || {
        echo "$*: expected only: $sentence; got:"
        cat out.txt err.txt
        exit 1
    }
}

repeated() {    # LINE TIMES
    awk -v line="$1" -v times="$2" 'BEGIN { for (i = 0; i < times; i++) printf "%s", line }'
}

repeated '一二三四五六七八九十百千万天地人\n' 60 > chinese    # 40 bytes would end within a character
repeated '\n\nhello there\n' 60 > "blank lines"
repeated '0123456789abcdef' 512 > page                         # no end of a line in whole pages
repeated '\303\251t\303\251\r\n' 100 > windows
for text in chinese "blank lines" page windows; do
    run --data "$text" || {
        echo "$text is refused:"
        cat err.txt
        exit 1
    }
done
repeated '\351t\351 en Latin-1\n' 60 > latin1
refused "latin1: byte 0 is not UTF-8; --tokenizer bytes takes any file" --data latin1
run --data latin1 --tokenizer bytes
: > empty
refused "empty: is empty" --data empty
printf a > one
refused "one: has 1 token, expected 33 or more" --data one
refused "none: cannot be read: No such file or directory" --data none
refused "the prompt is empty; expected --prompt TEXT" --data page --prompt ""
refused "the prompt: the character U+65E5 has no token" --data page --prompt 日
refused "--tokenizer: none: No such file or directory" --data page --tokenizer none
