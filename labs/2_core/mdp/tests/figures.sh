#!/bin/sh
# The learning curves against the figures of Sutton & Barto 2018, for several seeds: a bound is the
# figure's value (to the eye) or a longer run's, plus and minus five standard errors of these runs.
# Needs LAB and ROOT.
# shellcheck disable=SC2317 # called by name
. "$ROOT/tests/driver/sentences.sh"
mdp=$(dirname "$LAB")/labs/mdp
[ -e "$mdp" ] || skip "no LAPACK" "./lab setup"

# Runs a part for three seeds; each line of its metrics is then held against "field low high" of standard
# input, in their order.
figure_of() { # part, runs
    cat >bounds
    for seed in 1 2 3; do
        run "$mdp" --part "$1" --runs "$2" --seed $seed --plot none --out results
        gave 0
        awk -v seed=$seed '
            NR == FNR { field[NR] = $1; low[NR] = $2; high[NR] = $3; count = NR; next }
            FNR > count { next }
            {
                value = $0
                sub(".*\"" field[FNR] "\":", "", value)
                sub("[,}].*", "", value)
                if (!(value + 0 >= low[FNR] && value + 0 <= high[FNR])) {
                    printf "seed %d, line %d: %s is %s, expected %s to %s\n", seed, FNR, field[FNR],
                        value, low[FNR], high[FNR]
                    bad = 1
                }
                seen = FNR
            }
            END { exit bad || seen < count }' bounds results/metrics.jsonl >>wrong || bad=1
    done
    [ -z "${bad:-}" ] || complain "$(cat wrong)"
}

cliff_walking_has_the_published_returns() { # test
    # Example 6.6: SARSA about -27, Q-learning about -50, expected SARSA about -21, double Q-learning about -25
    figure_of cliff 60 <<'END_OF_BOUNDS'
return -32 -22.5
return -56 -46
return -22.2 -19.6
return -28.7 -21.7
END_OF_BOUNDS
}

the_dyna_maze_has_the_published_steps() { # test
    # Figure 8.2, in episode 10: without planning far from the end, with 5 and 50 steps close to 14 / (1 - epsilon)
    figure_of dyna 60 <<'END_OF_BOUNDS'
steps 50 230
steps 15.5 23
steps 14.5 20
END_OF_BOUNDS
}

the_random_walk_has_the_published_errors() { # test
    # Figures 6.2, 7.2 and 12.6.
    figure_of prediction 60 <<'END_OF_BOUNDS'
rms_error 0.032 0.061
rms_error 0.082 0.110
rms_error 0.063 0.118
rms_error 0.024 0.046
rms_error 0.040 0.069
rms_error 0.051 0.086
END_OF_BOUNDS
    figure_of steps 60 <<'END_OF_BOUNDS'
rms_error 0.330 0.357
rms_error 0.244 0.299
rms_error 0.226 0.289
rms_error 0.238 0.304
END_OF_BOUNDS
}

the_testbed_has_the_published_shares() { # test
    # Figures 2.2 to 2.5: greedy about 35 % of the time, 0.1 about 80 %
    figure_of bandit 30 <<'END_OF_BOUNDS'
optimal 21 50
optimal 46 75
optimal 66 90
optimal 73 96
optimal 74 97
optimal 74 97
END_OF_BOUNDS
}

run_sentence "$@"
