#!/bin/sh
# `lab follow`: the numbers of a run as curves, and as TensorBoard reads them.
# Needs LAB (the program), ROOT (the checkout); tmux for the terminal.
# shellcheck disable=SC2016,SC2094,SC2317 # the sentences are called by name
. "$ROOT/tests/driver/sentences.sh"

a_run() { # three points in the folder run
    mkdir -p run
    printf '{"step":%d,"train_loss":%s,"rate":0.5}\n' 10 8 20 '"nan"' 30 2 >run/metrics.jsonl
}

a_pipe_gets_the_curves_once() { # test
    a_run
    run "$LAB" follow run/
    gave 0 && says out train_loss && says out rate
    grep -Eq 'train_loss +30 +2 +2' out || complain "no last value"
    ! grep -q "$(printf '\033')" out || complain "escape codes"
    run "$LAB" follow run/metrics.jsonl --once
    gave 0 && says out train_loss
    [ "$(find . -type f | wc -l)" = 3 ] || complain "files were left: $(find .)"
}

a_half_written_line_is_left_for_later() { # test
    a_run
    printf '{"step":40,"train_lo' >>run/metrics.jsonl
    run "$LAB" follow run/
    gave 0
    grep -Eq 'train_loss +30 ' out || complain "no last value"
}

a_damaged_line_is_named() { # test
    a_run
    printf 'step 40\n' >>run/metrics.jsonl
    run "$LAB" follow run/
    gave 1 && says err 'run/metrics.jsonl:4'
    printf '{"rate":1}\n' >run/metrics.jsonl
    run "$LAB" follow run/
    gave 1 && says err 'run/metrics.jsonl:1: "step" is missing'
}

a_run_that_is_not_there_is_named() { # test
    run "$LAB" follow nowhere/
    gave 1 && says err 'nowhere/metrics.jsonl'
    run "$LAB" follow no_such_lab
    gave 2
}

# What TensorBoard 2.21's own reader took for steps 10 and 30 and the values 8 and 2.
tensorboard_reads_the_file() { # test
    needs od
    a_run
    touch -d @1700000000 run/metrics.jsonl
    run "$LAB" follow run/ --tensorboard 'a board'
    gave 0
    [ "$(od -An -v -tx1 'a board/events.out.tfevents.0.run' | tr -d ' \n')" = "$(bytes)" ] ||
        complain "other bytes: $(od -An -v -tx1 'a board/events.out.tfevents.0.run')"
}

a_terminal_is_drawn_anew_when_a_line_is_written() { # test
    needs tmux
    a_run
    trap 'tmux -S "$scratch/tmux" kill-server 2>/dev/null; rm -rf "$scratch"' EXIT
    env -u NO_COLOR -u COLUMNS TERM=xterm-256color tmux -S tmux -f /dev/null new-session -d -s lab -x 90 -y 40 \
        "'$LAB' follow run/; echo status \$?; sleep 30"
    on_screen 'train_loss +30 +2 '
    printf '{"step":40,"train_loss":1,"rate":0.25}\n' >>run/metrics.jsonl
    on_screen 'train_loss +40 +1 '
    tmux -S tmux send-keys -t lab q
    on_screen 'status 0'
}
on_screen() { # within ten seconds
    tries=200
    until tmux -S tmux capture-pane -p -t lab >seen && grep -Eq "$1" seen; do
        tries=$((tries - 1))
        [ $tries != 0 ] || complain "waited in vain for $1: $(cat seen)"
        sleep 0.05
    done
}

bytes() {
    cat <<'END' | tr -d '\n'
1800000000000000a37f4b220900000040fc54d9411a0d627261696e2e4576656e743a32eced8f9d200000000000000029ed
a9500900000040fc54d941100a2a130a110a0a747261696e5f6c6f7373150000004157387d72200000000000000029eda950
0900000040fc54d94110142a130a110a0a747261696e5f6c6f7373150000c07f01815368200000000000000029eda9500900
000040fc54d941101e2a130a110a0a747261696e5f6c6f73731500000040b1cfd77f1a00000000000000129bd82d09000000
40fc54d941100a2a0d0a0b0a0472617465150000003f377146cf1a00000000000000129bd82d0900000040fc54d94110142a
0d0a0b0a0472617465150000003f10e1c1421a00000000000000129bd82d0900000040fc54d941101e2a0d0a0b0a04726174
65150000003ff210edc6
END
}

run_sentence "$@"
