# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154 # names of sentences.sh
# server.sh -- a server of its own for a test, and what a client asks it; sourced after sentences.sh.
#
#     begin "$LAB" serve "$stories"
#     ask /v1/completions '{"prompt": "Once upon a time"}'
#     answers 200
#     ends_cleanly
needs curl jq

begin() { # command...: starts it, and leaves its address in $url
    : >first
    "$@" --port 0 >>first 2>log &
    server=$!
    trap 'kill "$server" 2>/dev/null || :; rm -rf "$scratch"' EXIT
    for _ in $(seq 300); do
        url=$(sed -n 's|^\(http://[^ ]*\)/  (.*|\1|p' first)
        [ -z "$url" ] || return 0
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    case $(cat log) in *"without libmicrohttpd"*) skip "no libmicrohttpd" "./lab setup" ;; esac
    cp log err
    complain "it has not begun"
}

ask() { # PATH JSON [curl options...]: the answer into `answer`, its status into $code
    path=$1 body=$2
    shift 2
    code=$(curl -sS -N -o answer -D head -w '%{http_code}' "$url$path" -d "$body" "$@") || code="curl: $?"
}
answers() { [ "$code" = "$1" ] || complain "status $code, expected $1: $(cat answer)"; }
text_of() { jq -rj '.choices[] | .text // .message.content // "" | ., "|"' "$1"; }

has_ended() { # its exit status into $status, and what it said into `err`
    status=0
    wait "$server" || status=$?
    cp log err
}
ends_cleanly() { # it frees every block, or says so and exits with 1
    kill "$server"
    has_ended
    gave 0
}
