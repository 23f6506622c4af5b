#!/bin/sh
# `lab watch` as a learner has it: in a terminal, with an editor that saves in every way there is.
# Needs LAB (the program), ROOT (the checkout), and tmux. Waits for words on the screen, never for a time.
# shellcheck disable=SC2016,SC2094,SC2317 # the sentences are called by name
. "$ROOT/tests/driver/sentences.sh"

tm() { tmux -S "$scratch/tmux" -f /dev/null "$@"; }
screen() { tm capture-pane -p -t lab >seen 2>/dev/null || :; }
key() { tm send-keys -t lab "$@"; }

# Until a command holds, for ten seconds at most.
until_holds() { # what command...
    what=$1 tries=200
    shift
    while ! "$@"; do
        tries=$((tries - 1))
        if [ $tries = 0 ]; then
            screen
            sed 's/^/  screen: /' seen
            complain "waited in vain: $what"
        fi
        sleep 0.05
    done
}

shows() { until_holds "the screen shows: $1" on_screen "$1"; }
shows_no_more() { until_holds "the screen shows no more: $1" off_screen "$1"; }
on_screen() { screen && grep -qF -e "$1" seen; }
off_screen() { screen && ! grep -qF -e "$1" seen; }

# A started autoencoder, and the submissions that the sentences save.
started() {
    needs tmux
    export TERM=xterm-256color
    unset NO_COLOR COLUMNS
    "$LAB" start autoencoder >/dev/null
    file=$LAB_MINE/autoencoder/autoencoder.c
    cp "$file" blank.c
    first='matmul_nt(y, x, w, B, O, I, 0.0f); kernels.add_row(y, y, bias, B, O);'
    submit right.c "$first"
    submit wrong.c 'for (int i = 0; i < B * O; i++) y[i] = x[0] + w[0] + bias[0];'
    submit endless.c 'for (volatile int i = 0;; i++) y[0] = 0;'
}

submit() { sed "s|LAB_TODO(linear_forward);.*|$2|" blank.c >"$1"; } # file body
replace() { cp "$1" "$file.new" && mv "$file.new" "$file"; }           # as vim and emacs do
overwrite() { cat "$1" >"$file"; }                                     # as nano does

terminal() { # columns rows command
    trap 'tm kill-server 2>/dev/null; rm -rf "$scratch"' EXIT
    tm new-session -d -s lab -x "$1" -y "$2" "$3"
}

# A shell in a terminal, in which lab watch is started; the shell tells its exit status.
watching() { # columns rows [words before the command [words behind it]]
    cat >session <<END
stty -a | sed 1d >before
${3-} "$LAB" watch autoencoder ${4-}
echo "status \$?"
stty -a | sed 1d >after
echo over
exec cat
END
    terminal "$1" "$2" "sh session"
}

ended_with() {
    shows "status $1"
    shows over
    diff before after || complain "the terminal is not as it was"
}

a_fix_is_seen_a_hint_is_given_and_q_leaves() { # test
    started
    watching 80 24
    shows "linear_forward is not written yet"
    shows "q quit"
    replace wrong.c
    shows "linear_forward is wrong"
    key h
    shows "hint 1 of 3"
    key h
    shows "hint 2 of 3"
    on_screen "./lab hint" && complain "told to type what h does"
    replace right.c
    shows "linear_forward passes"
    shows "Press n for the next: linear_backward"
    on_screen "linear_backward is not written" && complain "went on without being asked"
    key n
    shows "linear_backward is not written yet"
    key l
    shows "done         linear_forward"
    key q
    ended_with 0
    grep -q 'autoencoder.linear_forward done' "$LAB_MINE/progress"
}

a_file_written_in_place_is_seen() { # test
    started
    watching 80 24
    shows "linear_forward is not written yet"
    overwrite wrong.c
    shows "linear_forward is wrong"
    overwrite right.c
    shows "linear_forward passes"
    key q
    ended_with 0
}

half_a_save_is_not_graded() { # test
    started
    watching 80 24
    shows "linear_forward is not written yet"
    head -c 300 right.c >half
    for piece in 1 2 3 4 5 6 7 8; do # each within the time that a file must be still
        [ $piece = 8 ] || head -c $((300 + piece)) right.c >"$file"
    done
    overwrite right.c
    shows "linear_forward passes"
    ! grep -q 'linear_forward wrong' "$LAB_MINE/progress" || complain "a half was graded"
    key q
    ended_with 0
}

ctrl_c_restores_the_terminal() { # test
    started
    watching 80 24 "trap : INT;"
    shows "linear_forward is not written yet"
    key C-c
    ended_with 130
}

a_fatal_signal_restores_the_terminal() { # test
    started
    watching 80 24
    shows "linear_forward is not written yet"
    kill -TERM "$(tm list-panes -t lab -F '#{pane_pid}' | xargs pgrep -P)"
    ended_with 143
}

a_closed_pipe_ends_it() { # test
    started
    watching 80 24 "" "| head -n 3"
    shows "linear_forward not written yet"
    replace wrong.c
    ended_with 0 # of head
}

ctrl_z_and_fg_resume() { # test
    started
    needs bash
    terminal 80 24 "bash --norc -i"
    key "'$LAB' watch autoencoder" Enter
    shows "linear_forward is not written yet"
    key C-z
    shows "Stopped"
    key C-l
    key "stty -a | grep -o ' icanon'" Enter
    shows " icanon"
    replace right.c
    key C-l
    key 'fg; echo status $?' Enter
    shows "linear_forward passes"
    key q
    shows "status 0"
}

the_next_save_ends_an_endless_loop() { # test
    started
    watching 80 24
    shows "linear_forward is not written yet"
    replace endless.c
    shows "checking"
    until_holds "the loop runs" pgrep -f "$scratch/mine/autoencoder/autoencoder.c" >/dev/null
    replace right.c
    shows "linear_forward passes"
    ! grep -q 'linear_forward wrong' "$LAB_MINE/progress" || complain "the loop was waited for"
    key q
    ended_with 0
    until_holds "the grader is gone" eval '! pgrep -f "$scratch/mine/autoencoder/autoencoder.c" >/dev/null'
}

a_small_window_keeps_the_important_lines() { # test
    started
    watching 80 24
    shows "linear_forward is not written yet"
    tm resize-window -t lab -x 40 -y 12
    replace wrong.c
    shows "linear_forward is wrong"
    shows "q quit"
    on_screen "of 10 pass" || complain "the first line is gone"
    [ "$(awk 'length > 40' seen | wc -l)" = 0 ] || complain "a line is too long"
    key h
    shows "hint 1 of 3"
    shows "q quit"
    on_screen "of 10 pass" || complain "the first line is gone"
    key q
    ended_with 0
}

a_removed_file_is_waited_for() { # test
    started
    watching 80 24
    shows "linear_forward is not written yet"
    rm "$file"
    shows "Waiting for it"
    replace right.c
    shows "linear_forward passes"
    key q
    ended_with 0
}

a_completed_lab_is_reported() { # test
    started
    sed '/^ *\/\/ \(solution\|end\) /d' "$ROOT/labs/2_core/autoencoder/autoencoder.c" >"$file"
    "$LAB" check autoencoder >/dev/null || complain "the reference does not pass"
    watching 80 30
    shows "All 10 exercises of autoencoder pass"
    shows "./lab run autoencoder --mine"
    key q
    ended_with 0
}

without_colours_it_prints_below() { # test
    started
    watching 80 24 "NO_COLOR=1"
    shows "linear_forward is not written yet"
    replace wrong.c
    shows "linear_forward is wrong"
    key q
    ended_with 0
    tm capture-pane -p -S - -t lab >all
    says all "linear_forward is not written yet"
    says all "linear_forward is wrong"
}

end_of_input_ends_it_after_one_verdict() { # test
    started
    run "$LAB" watch autoencoder
    gave 0
    says out "linear_forward is not written yet"
    never_says out "$(printf '\033')"
}

keys_are_read_from_a_pipe() { # test
    started
    printf 'hhl' >keys
    status=0
    "$LAB" watch autoencoder <keys >out 2>err || status=$?
    gave 0
    says out "hint 2 of 3"
    says out "not started"
    says out "linear_forward is not written yet"
}

a_lab_not_started_prints_how_to_start() { # test
    run "$LAB" watch autoencoder
    gave 1
    says err "./lab start autoencoder"
}

run_sentence "$@"
