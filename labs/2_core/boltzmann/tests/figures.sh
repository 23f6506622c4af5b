#!/bin/sh
# The story's figures against what theory says of them. Needs LAB and ROOT.
# shellcheck disable=SC2317 # called by name
. "$ROOT/tests/driver/sentences.sh"
boltzmann=$(dirname "$LAB")/labs/boltzmann

# The last value of a field of the metrics lies between two bounds.
figure_is() { # field, low, high
    awk -v field="\"$1\":" -v low="$2" -v high="$3" '
        index($0, field) { value = substr($0, index($0, field) + length(field)); sub("[,}].*", "", value); seen = 1 }
        END {
            if (seen && value + 0 >= low && value + 0 <= high) exit 0
            printf "%s is %s, expected %s to %s\n", field, value, low, high
            exit 1
        }' results/metrics.jsonl >wrong || complain "$(cat wrong)"
}

gibbs_sampling_reaches_the_exact_probabilities() { # test
    run "$boltzmann" --part machine --plot none --out results
    gave 0
    figure_is total_variation_distance 0.003 0.01
}

the_hopfield_network_recalls_every_pattern() { # test
    run "$boltzmann" --part hopfield --plot none --out results
    gave 0
    figure_is wrong_after_recall 0 0
}

the_ising_model_has_onsagers_critical_temperature() { # test
    run "$boltzmann" --part ising --seed 2 --plot none --out results
    gave 0
    figure_is binder_crossing 2.25 2.29
}

ais_is_within_its_error_bars() { # test
    run "$boltzmann" --part likelihood --images 500 --epochs 4 --small 8 --plot none --out results
    gave 0
    figure_is ais_in_standard_errors -4 4
}

run_sentence "$@"
