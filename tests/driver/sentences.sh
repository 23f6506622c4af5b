# shellcheck shell=sh
# sentences.sh -- shell tests whose names are sentences; sourced by a script that holds them.
#
#     a_pipe_sees_no_escape_codes() { # test
#         run "$LAB"
#         gave 0 && ! grep -q "$(printf '\033')" out
#     }
#     run_sentence "$@"        # the script's last line; ctest calls it with one sentence each
#
# A sentence runs in an empty folder of its own, under `set -e`; what fails shows what the last
# command printed.
set -eu

run() { # command...: standard output into `out`, errors into `err`, exit status into $status
    status=0
    "$@" >out 2>err </dev/null || status=$?
}

gave() { [ "$status" = "$1" ] || complain "exit status $status, expected $1"; }
says() { grep -qF -e "$2" "$1" || complain "'$1' does not say: $2"; } # file text
never_says() { ! grep -qF -e "$2" "$1" || complain "'$1' says: $2"; }

skip() { # why, and the command that makes it run; ./lab test counts these lines
    printf 'skipped: %s: %s\n' "$1" "$2"
    exit 77
}
needs() { # tools...
    for tool; do
        command -v "$tool" >/dev/null || skip "no $tool" "./lab setup --dev"
    done
}

complain() {
    printf '%s\n' "$1"
    for file in out err calls; do
        [ ! -e $file ] || sed "s/^/  $file: /" $file
    done
    exit 1
}

run_sentence() {
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    cd "$scratch"
    export LAB_MINE="$scratch/mine" # never the user's own work
    "$1"
}
