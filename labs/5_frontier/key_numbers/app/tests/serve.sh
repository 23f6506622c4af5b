#!/bin/sh
# keynumbers --serve from the outside: where it listens, how it ends, and what keeps it from starting.
# Needs LAB and ROOT.
# shellcheck disable=SC2154,SC2317 # $status is of sentences.sh; the sentences are called by name
. "$ROOT/tests/driver/sentences.sh"
program=$(dirname "$LAB")/labs/keynumbers
[ -x "$program" ] || skip "no keynumbers" "./lab setup"

begin() { # arguments...: starts it and waits for its first line, which is left in `first`
    "$program" --serve "$@" >first 2>err &
    server=$!
    trap 'kill "$server" 2>/dev/null || :; rm -rf "$scratch"' EXIT
    for _ in $(seq 100); do
        [ ! -s first ] || return 0
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    status=0
    wait "$server" || status=$?
    case $(cat err) in *"without libmicrohttpd"*) skip "no libmicrohttpd" "./lab setup" ;; esac
    complain "it has not begun: exit status $status"
}

ends_with() { # STATUS SIGNAL
    kill -s "$2" "$server"
    status=0
    wait "$server" || status=$?
    gave "$1"
}

the_url_is_printed_and_ctrl_c_ends_cleanly() { # test
    begin --port 0
    grep -qE '^http://127\.0\.0\.1:[1-9][0-9]+/  \(Ctrl-C ends it\)$' first || complain "$(cat first)"
    ends_with 0 INT
    [ "$(wc -l <first)" = 1 ] || complain "it said more"
    [ ! -s err ] || complain "it complained"
}

sigterm_ends_cleanly() { # test
    begin --port 0 --address localhost
    says first 'http://localhost:'
    ends_with 0 TERM
}

ipv6_is_served() { # test
    grep -qs ' lo$' /proc/net/if_inet6 || skip "no IPv6" "enable IPv6 on lo"
    begin --port 0 --address ::1
    says first 'http://[::1]:'
    ends_with 0 INT
}

a_port_in_use_is_one_sentence() { # test
    begin --port 0
    port=$(sed 's|.*:\([0-9]*\)/.*|\1|' first)
    run "$program" --serve --port "$port"
    gave 2
    says err "127.0.0.1, port $port: Address already in use; name another one with --port, or 0 for a free one"
    [ "$(wc -l <err)" = 1 ] || complain "expected one line"
    ends_with 0 INT
}

an_invalid_address_is_one_sentence() { # test
    begin --port 0
    ends_with 0 INT
    run "$program" --serve --address example.com
    gave 2
    says err "'example.com' is no IP address"
    run "$program" --serve --port 70000
    gave 2
    says err "port"
}

a_missing_page_file_is_named() { # test
    begin --port 0
    ends_with 0 INT
    run env LAB_ROOT="$scratch" "$program" --serve --port 0
    gave 2
    says err "output/page.html: No such file or directory"
}

run_sentence "$@"
