#!/bin/sh
# `lab run mdp --world`: a world is solved in one call, exported, and refused with one sentence.
# Needs LAB and ROOT.
# shellcheck disable=SC2015,SC2016,SC2154,SC2317 # `a && b || c` is meant; names of sentences.sh; called by name
. "$ROOT/tests/driver/sentences.sh"
mdp=$(dirname "$LAB")/labs/mdp
[ -e "$mdp" ] || skip "no LAPACK" "./lab setup"

solve() { run "$mdp" --plot none --out results --solve --world "$@"; }
says_row() { tr -s ' ' <out >rows && says rows "$1"; }

two_rooms() { # file
    cat >"$1" <<'END_OF_FILE'
{"discount": 0.5, "states": ["hall", "the \"den\", small"], "actions": ["stay", "go"], "transitions": [
 {"state": "hall", "action": "go", "next": 1, "probability": 1, "reward": 2},
 {"state": "hall", "action": "stay", "next": "hall", "probability": 1, "reward": 0.5}]}
END_OF_FILE
}

a_world_is_solved_in_one_call() { # test
    run "$LAB" run mdp --world frozenlake4 --solve --state 0,0 --plot none --out results
    gave 0
    says out '16 states, 5 of them terminal; 4 actions'
    says_row '0,0 0.542026 left'
    says_row 'left (best) 0.542026 stay with 2/3, reward 0; 1,0 with 1/3, reward 0'
    [ -s results/values.png ] || complain "no picture of the values"
}

a_users_own_world_is_solved_and_exported() { # test
    mkdir 'my worlds'
    two_rooms 'my worlds/two rooms.json'
    solve 'my worlds/two rooms.json' --out 'my results'
    gave 0
    says_row 'hall 2.000000 go'
    says out "'my results/solution.json'"
    says 'my results/solution.json' '{"state": "the \"den\", small", "terminal": true, "value": 0, "actions": []}'
    says 'my results/solution.json' '{"action": "go", "value": 2, "probability": 1}'
    says 'my results/solution.csv' 'state,value,action,action_value,probability'
    says 'my results/solution.csv' '"hall",2,"stay",1.5,0'
    says 'my results/solution.csv' '"the ""den"", small",0,,,'
}

the_exports_are_json_and_csv_that_python_reads() { # test
    needs python3
    two_rooms w.json
    solve w.json
    gave 0
    python3 - <<'END_OF_FILE' || complain "not read"
import csv, json
states = json.load(open("results/solution.json"))["states"]
assert [s["value"] for s in states] == [2, 0], states
rows = list(csv.DictReader(open("results/solution.csv")))
assert len(rows) == 3 and rows[2]["state"] == 'the "den", small', rows
END_OF_FILE
}

the_example_of_a_world_is_solved() { # test
    # v(high) = 2 + 0.9 (0.7 v(high) + 0.3 v(low)), v(low) = 0.9 v(high): 2 / (1 - 0.63 - 0.243).
    solve "$ROOT/labs/2_core/mdp/worlds/recycling_robot.json"
    gave 0
    says_row 'high 15.748031 search'
    says_row 'low 14.173228 recharge'
}

the_discount_can_be_changed() { # test
    two_rooms w.json
    solve w.json --discount 0.9
    gave 0
    says_row 'hall 5.000000 stay'
    solve gridworld5 --discount 1
    gave 1
    says err 'gridworld5: the discount is 1 and no state is terminal'
    for wrong in 1.5 -0.1 nan 0.9x ''; do
        solve gridworld5 --discount "$wrong"
        gave 2
        says err "--discount $wrong: expected a number from 0 to 1"
    done
}

what_cannot_be_solved_gets_one_sentence() { # test
    solve missing.json
    gave 1
    says err 'missing.json: No such file or directory'
    solve wind
    gave 1
    says err "no world 'wind'; did you mean 'windy'?"
    solve random:10,0
    gave 1
    says err 'expected random:STATES,ACTIONS,SUCCESSORS'
    solve random:99999999999999999999
    gave 1
    echo '{"discount": 0.9' >broken.json
    solve broken.json
    gave 1
    says err 'broken.json:2: is not JSON from here on'
    solve cliff --state nowhere
    gave 1
    says err "--state nowhere: no such state; the first is '0,0'"
    [ ! -e results/solution.json ] || complain "a solution was written"
    run "$mdp" --solve --out results
    gave 2
    says err '--solve: expected --world WORLD with it'
    run "$mdp" --wolrd cliff
    gave 2
}

a_pipe_is_refused_at_once() { # test
    needs timeout
    mkfifo w.json
    run timeout 20 "$mdp" --world ./w.json --solve --out results
    gave 1
    says err 'w.json: is a pipe or a device, expected a file'
}

rarely_ends() { # probability of the end
    printf '{"discount": 1, "states": ["on", "end"], "actions": ["wait"], "transitions": [\n'
    printf ' {"state": "on", "action": "wait", "next": "end", "probability": %s},\n' "$1"
    printf ' {"state": "on", "action": "wait", "next": "on", "probability": %s, "reward": 1}]}\n' \
        "$(awk -v p="$1" 'BEGIN {printf "%.17g", 1 - p}')"
}

what_converges_slowly_says_how_far_it_is_off() { # test
    rarely_ends 1e-4 >w.json # 9999 steps on average; each sweep is off by 1e4 times its change
    solve w.json
    gave 0
    says out '2 states, 1 of them terminal; 1 action, 2 outcomes'
    sed -n 's/.*Values are off by about \([^,]*\),.*/\1/p' out >bound
    awk '$1 == "on" {print $2}' out >value
    paste value bound | awk '{off = $1 - 9999; if (off < 0) off = -off; if (NF != 2 || off > 2 * $2 + 1e-6 || $2 > 1e-6) exit 1}' ||
        complain "off by more than it says"
    rarely_ends 1e-9 >w.json
    solve w.json
    gave 1
    says err 'sweeps values are still off by about 1e+09; episodes are too long for it'
}

wide_characters_keep_a_map_in_line() { # test
    printf '%s' '{"discount": 0.5, "states": ["a", "b", "c", "d"], "actions": ["左", "x"], "transitions": [' \
        '{"state": "a", "action": "左", "next": "b", "probability": 1, "reward": 1},' \
        '{"state": "c", "action": "x", "next": "d", "probability": 1, "reward": 1}], "layout": [["a", "b"], ["c", "d"]]}' >w.json
    solve w.json
    gave 0
    says out '    左    *'
    says out '     x    *'
}

names_in_a_file_do_not_command_the_terminal() { # test
    # shellcheck disable=SC2016 # the backquotes are data
    printf '%s' '{"discount": 0.5, "states": ["a\u001b[31m", "`id`\u202e"], "actions": ["\u0007go"], "transitions": [' \
        '{"state": 0, "action": 0, "next": 1, "probability": 1}], "layout": [[0, 1]]}' >w.json
    run env CLICOLOR_FORCE= NO_COLOR=1 "$mdp" --world w.json --solve --out results --plot none --state 'a?[31m'
    gave 0
    says out 'a?[31m'
    ! LC_ALL=C grep -q "$(printf '[\033\007]')" out results/solution.* || complain "an escape code went through"
}

a_random_world_of_any_size_is_solved() { # test
    solve random:3000,4,5 --seed 1
    gave 0
    says out '3000 states, 0 of them terminal; 4 actions, 60000 outcomes; discount 0.95'
    cp results/solution.csv first.csv
    solve random:3000,4,5 --seed 1 --threads 1
    cmp first.csv results/solution.csv || complain "the values depend on the number of threads"
}

curves_do_not_depend_on_the_number_of_threads() { # test
    for threads in 1 2; do
        run "$mdp" --part cliff,dyna --runs 6 --plot none --threads $threads --out results$threads
        gave 0
    done
    cmp results1/cliff.csv results2/cliff.csv || complain "the curves differ"
    cmp results1/dyna.csv results2/dyna.csv || complain "the curves differ"
}

a_map_fits_forty_columns() { # test
    for world in rental cliff frozenlake8; do
        run env COLUMNS=40 "$mdp" --world $world --solve --out results --plot none
        gave 0
        awk '/^  state /{exit} /^[-0-9.^v<>CHG# ]+$/ && length($0) > 40 {bad = 1} END{exit bad}' out ||
            complain "a line of the map is wider than 40"
    done
}

a_pipe_sees_no_animation() { # test
    run "$mdp" --world maze --solve --animate --out results --plot none
    gave 0
    never_says out 'Sweep 1:'
}

a_signal_ends_the_run() { # test
    "$mdp" --runs 100000 --part cliff --plot none --out results >out 2>err &
    pid=$!
    sleep 1
    kill -TERM $pid
    status=0
    wait $pid || status=$?
    gave 143
    says out 'Stopped by SIGTERM'
}

run_sentence "$@"
