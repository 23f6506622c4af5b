#!/bin/sh
# What ./lab does before the program runs: in a checkout of its own, with a PATH of pretended tools
# that write down how they were called. Nothing is installed and nothing real is built.
# Needs ROOT (the checkout).
# shellcheck disable=SC2016,SC2094,SC2317 # the pretended tools expand; the sentences are called by name
. "$ROOT/tests/driver/sentences.sh"

# A tool in the PATH: its name, and what it does besides writing its call down.
pretend() {
    printf '#!/bin/sh\nprintf "%%s\\n" "%s $*" >>"%s/calls"\n%s\n' "$1" "$scratch" "$2" >"bin/$1"
    chmod +x "bin/$1"
}

# A checkout at "my checkout", where all packages but $1 are installed; FAKE_UID says who calls.
fresh_checkout() {
    mkdir -p bin "my checkout/labs/1_first/tiny"
    echo '{"title": "Tiny", "about": "Small."}' >"my checkout/labs/1_first/tiny/lab.json"
    cp "$ROOT/lab" "$ROOT/.packages" "my checkout/"
    for tool in sh sed grep awk mkdir rm tr cat chmod sleep env find flock getconf readlink touch; do
        ln -s "$(command -v $tool)" bin/ 2>/dev/null || :
    done
    awk '!/^#/ { print "installed", $2 }' "$ROOT/.packages" | grep -vw -e "${1:-none}" >installed || :
    : >calls
    pretend dpkg-query "cat '$scratch/installed'"
    pretend apt-get "for word; do echo \"installed \$word\" >>'$scratch/installed'; done; echo apt talks"
    pretend sudo 'exec "$@"'
    pretend id 'echo "${FAKE_UID-0}"'
    pretend cmake 'echo ok >"$4/build.ninja"'
    # The plan is "no work" once the program is there; building makes the program.
    pretend ninja 'if [ "$1" = -n ]; then
        grep -q ok build.ninja || { echo "ninja: error: build.ninja:1: nonsense"; exit 1; }
        [ ! -e lab ] || echo "ninja: no work to do."
        exit
    fi
    sleep 0.2
    printf "%s\n" "#!/bin/sh" "echo \"program: \$*\"" >lab && chmod +x lab'
    pretend ctest 'case $1 in -N) echo "  Test #1: test_arena"; exit ;; esac
        mkdir -p Testing/Temporary && printf "%s" "${FAKE_LOG-}" >Testing/Temporary/LastTest.log
        echo "test_arena 1 3.2" >Testing/Temporary/CTestCostData.txt
        echo "100% tests passed"; exit ${FAKE_CTEST-0}'
    checkout=$scratch/my\ checkout
}

lab() { run env PATH="$scratch/bin" "$checkout/lab" "$@"; } # ./lab, which sees only what is pretended
as_user() { export FAKE_UID=1000; }                  # not by root

called() { says calls "$1"; }
never_called() { never_says calls "$1"; }

the_first_call_configures_builds_and_runs() { # test
    fresh_checkout
    lab run tiny --seed 7
    gave 0
    says out "program: run tiny --seed 7"
    [ "$(wc -l <out)" = 1 ] || complain "messages belong on stderr"
    called "cmake -S $checkout -B $checkout/build --preset release"
    called "ninja lab tiny"
    never_called "ninja labs"
    never_called apt-get
}

a_later_call_only_runs_ninja() { # test
    fresh_checkout
    lab
    : >calls
    lab list
    gave 0
    [ "$(cat calls)" = "ninja -n lab" ] || complain "expected one ninja -n"
    [ ! -s err ] || complain "expected silence"
}

a_command_builds_what_it_runs() { # test
    fresh_checkout
    mkdir -p "my checkout/labs/1_first/other" "my checkout/labs/1_first/tinier" more/2_second/further
    for lab in 1_first/other 1_first/tinier; do echo '{}' >"my checkout/labs/$lab/lab.json"; done
    echo '{}' >more/2_second/further/lab.json
    while read -r target command; do
        rm -f "$checkout/build/lab"
        export LAB_PATH=more
        # shellcheck disable=SC2086 # words
        lab $command
        gave 0
        called "ninja $(echo "$target" | tr + ' ')"
        : >calls
    done <<'END'
lab+other run oth
lab+tiny run tiny
lab+further run further --mine
lab run tin
lab run nothing
lab+keynumbers keynumbers gpt2
lab+tokenize tokenize count
lab+replay replay --paper
lab help
lab start tiny
labs check tiny
END
}

a_missing_package_is_installed_by_root_without_a_question() { # test
    fresh_checkout libpng-dev
    lab --version
    gave 0
    called "apt-get -qq -o DPkg::Lock::Timeout=600 update"
    called "--no-install-recommends libpng-dev"
    never_called sudo
    says out "program: --version"
    never_says out "apt talks"
}

without_a_terminal_the_command_is_reported() { # test
    fresh_checkout libpng-dev
    as_user
    lab run tiny
    gave 1
    says err "sudo apt-get install libpng-dev"
    never_called apt-get
    [ ! -s out ] || complain "expected nothing on stdout"
}

without_sudo_the_command_for_root_is_reported() { # test
    fresh_checkout libpng-dev
    rm bin/sudo
    as_user
    lab --yes
    gave 1
    says err "root has to run: apt-get install libpng-dev"
    for command in help roadmap list; do
        lab $command
        gave 0
        says err "root has to run: apt-get install libpng-dev"
        says out Tiny
        says out "labs/1_first/tiny/README.md"
    done
}

# ./lab in a terminal in which $1 is typed after a second.
in_a_terminal() { # keys
    script -qec true /dev/null >/dev/null 2>&1 || skip "no pseudo-terminal" "./lab setup --dev"
    status=0
    (sleep 1 && printf %b "$1") | SHELL=/bin/sh script -qec "PATH='$scratch/bin' '$checkout/lab' run tiny" /dev/null >out 2>&1 ||
        status=$?
}

the_question_shows_packages_and_size_once() { # test
    fresh_checkout libpng-dev
    as_user
    pretend apt-get 'echo "Need to get 100 MB of archives."
        echo "After this operation, 410 MB of additional disk space will be used."; exit 1'
    in_a_terminal 'n\n'
    gave 1
    [ "$(grep -c libpng-dev out)" = 1 ] || complain "expected the packages once"
    says out "downloads 100 MB"
    says out "410 MB on the disk"
    called "apt-get -o Debug::NoLocking=true --assume-no"
    never_called "apt-get -qq"
}

ctrl_c_stops_everything() { # test
    for moment in question installation; do
        fresh_checkout libpng-dev
        [ $moment = installation ] || as_user
        pretend apt-get 'trap "" INT; sleep 2'
        in_a_terminal '\003'
        [ "$status" != 0 ] || complain "$moment: exit status 0"
        [ $moment = installation ] || never_called "apt-get -qq"
        never_called "install --yes"
        never_called cmake
        unset FAKE_UID
    done
}

a_tree_that_cannot_be_written_gets_a_sentence() { # test
    [ "$(id -u)" != 0 ] || skip "root may write everywhere" "run it as another user"
    fresh_checkout
    chmod a-w "my checkout"
    lab run tiny
    chmod u+w "my checkout"
    gave 1
    says err "cannot write to $checkout/build"
}

a_file_of_the_future_is_named_at_once() { # test
    fresh_checkout
    lab run tiny
    : >calls
    echo 'project(x)' >"my checkout/CMakeLists.txt"
    touch -t 203501010000 "my checkout/CMakeLists.txt"
    rm "my checkout/build/lab" # something is to be built
    lab run tiny
    gave 1
    says err "CMakeLists.txt is dated in the future"
    never_called cmake
    never_called "ninja lab"
    sh -c "$(sed -n 's/^lab: find/find/p' err)"
    lab run tiny
    gave 0
}

yes_installs_with_sudo_and_is_not_passed_on() { # test
    fresh_checkout libpng-dev
    as_user
    lab --yes list
    gave 0
    called "sudo env DEBIAN_FRONTEND=noninteractive apt-get"
    says out "program: list"
    never_says out "--yes"
}

a_terminal_is_asked_and_no_means_no() { # test
    fresh_checkout libpng-dev
    as_user
    in_a_terminal 'n\n'
    gave 1
    says out "[y/N]"
    says out "nothing was installed"
    never_called "apt-get -qq"
}

a_failed_installation_ends_with_one_message() { # test
    fresh_checkout libpng-dev
    pretend apt-get 'echo "E: no network" >&2; exit 100'
    lab
    gave 1
    says err "E: no network"
    says err "could not install libpng-dev"
    never_called cmake
    pretend apt-get ''
    echo "installed libpng-dev" >>installed
    lab
    gave 0
}

a_package_that_another_provides_counts_as_installed() { # test
    fresh_checkout pkg-config
    echo "installed pkgconf pkg-config (= 1.8), other" >>installed
    lab
    gave 0
    never_called apt-get
}

a_missing_optional_package_does_not_block() { # test
    fresh_checkout gnuplot-nox
    as_user
    lab
    gave 0
    never_called apt-get
}

setup_installs_the_requested_kinds() { # test
    fresh_checkout "valgrind"
    lab setup
    gave 0
    never_called apt-get
    lab setup --dev
    gave 0
    called "--no-install-recommends valgrind"
    never_called cmake
    lab setup --devs
    gave 1
    says err "--devs"
}

without_apt_only_the_tools_are_checked() { # test
    fresh_checkout
    rm bin/apt-get bin/dpkg-query
    lab
    gave 1
    says err "please install"
    pretend cc ''
    pretend c++ ''
    pretend pkg-config ''
    lab
    gave 0
}

it_works_through_a_link_from_another_folder() { # test
    fresh_checkout
    mkdir elsewhere
    ln -s "../my checkout/lab" elsewhere/lab
    ln -s lab elsewhere/second
    cd elsewhere
    run env PATH="$scratch/bin" ./second run
    gave 0
    says out "program: run"
}

a_damaged_build_folder_is_reconfigured() { # test
    fresh_checkout
    mkdir -p "$checkout/build/CMakeFiles"
    echo damaged >"$checkout/build/CMakeCache.txt"
    lab
    gave 0
    [ ! -e "$checkout/build/CMakeCache.txt" ] || complain "the old cache was left"
    echo nonsense >"$checkout/build/build.ninja"
    lab
    gave 0
    rm "$checkout/build/build.ninja"
    lab
    gave 0
    [ "$(grep -c ^cmake calls)" = 3 ] || complain "expected three configurations"
}

a_moved_checkout_is_reconfigured() { # test
    fresh_checkout
    lab
    mkdir new
    mv "$checkout" "new/my checkout"
    checkout="$scratch/new/my checkout"
    : >calls
    lab
    gave 0
    called "cmake -S $checkout"
}

labs_of_another_folder_are_configured_once() { # test
    fresh_checkout
    lab
    mkdir -p "$scratch/my labs" "$scratch/more"
    : >calls
    export LAB_PATH="my labs:$scratch/more/:my labs"
    lab list
    gave 0
    called "cmake -S $checkout -B $checkout/build --preset release -DLAB_PATH=$scratch/my labs:$scratch/more"
    : >calls
    LAB_PATH="$scratch/my labs:$scratch/more"
    lab list
    [ "$(cat calls)" = "ninja -n lab" ] || complain "expected one ninja -n"
    [ ! -s err ] || complain "expected silence"
    unset LAB_PATH
    lab list
    called "-DLAB_PATH="
}

lab_path_reaches_the_program() { # test
    fresh_checkout
    mkdir more
    pretend ninja 'if [ "$1" = -n ]; then [ ! -e lab ] || echo "ninja: no work to do."; exit; fi
        printf "%s\n" "#!/bin/sh" "echo LAB_PATH is \$LAB_PATH" >lab && chmod +x lab'
    LAB_PATH='more' lab list
    gave 0
    says out "LAB_PATH is $scratch/more"
}

a_missing_folder_in_lab_path_is_reported() { # test
    fresh_checkout
    LAB_PATH="$scratch/none" lab list
    gave 1
    says err "LAB_PATH: $scratch/none is not a folder"
    never_called cmake
}

a_failed_configuration_is_shown_and_tried_again() { # test
    fresh_checkout
    pretend cmake 'echo "CMake Error: no such library"; exit 1'
    lab
    gave 1
    says err "no such library"
    says err "cmake could not configure"
    pretend cmake 'echo ok >"$4/build.ninja"'
    lab
    gave 0
}

a_removed_package_is_reinstalled() { # test
    fresh_checkout
    lab
    grep -v libpng-dev installed >fewer
    cp fewer installed
    echo "ninja misses libpng.so" >"$checkout/build/build.ninja"
    lab
    gave 0
    called "--no-install-recommends libpng-dev"
}

a_changed_package_list_is_read_again() { # test
    fresh_checkout
    lab
    sleep 0.1
    echo "build libnew-dev a new library" >>"$checkout/.packages"
    lab
    gave 0
    called "--no-install-recommends libnew-dev"
}

a_failed_build_shows_the_compiler_output() { # test
    fresh_checkout
    pretend ninja '[ "$1" != -n ] || exit 0
        echo "lab: building 1/2 a.c"; echo "FAILED: a.o"; echo "cc -c a.c"; echo "a.c:1: error: oops"
        echo "ninja: build stopped: subcommand failed."; exit 1'
    lab
    gave 1
    says err "a.c:1: error: oops"
    says err "the build failed"
    never_says err "cc -c a.c"
}

two_calls_at_once_build_once() { # test
    needs flock
    fresh_checkout
    (PATH=$scratch/bin && "$checkout/lab" one >one 2>&1) &
    (PATH=$scratch/bin && "$checkout/lab" two >two 2>&1)
    wait
    grep -q "program: one" one
    grep -q "program: two" two
    [ "$(grep -c '^ninja lab' calls)" = 1 ] || complain "expected one build"
}

test_builds_the_tests_and_returns_the_status_of_ctest() { # test
    fresh_checkout
    export FAKE_CTEST=8
    lab test -R arena
    gave 8
    [ "$(tail -n 1 out)" = "100% tests passed" ] || complain "ctest has the last word"
    called "ninja tests"
    called "-LE ^gates\$ -R arena"
}

test_says_how_long_the_tests_took_before() { # test
    fresh_checkout
    lab test
    says err "lab: 1 test; how long they take here is known after the first run"
    lab test
    says err "lab: 1 test, about 4 s"
}

test_of_nothing_is_an_error() { # test
    fresh_checkout
    pretend ctest 'echo "Total Tests: 0"'
    lab test -R arean
    gave 1
    says err "no test fits: -R arean"
}

test_ends_with_what_was_skipped_and_the_command() { # test
    fresh_checkout
    export FAKE_LOG='1/5 Test: keynumbers.json
skipped: no jq: ./lab setup --dev
2/5 Test: watch.a_save
skipped: no tmux: ./lab setup --dev
3/5 Test: keynumbers.csv
skipped: no jq: ./lab setup --dev
4/5 Test: check.json
skipped: no jq: ./lab setup --dev
5/5 Test: test_images
skipped: no LAB_DATA: LAB_DATA=FOLDER ./lab test -R images
'
    lab test
    gave 0
    says err "lab: skipped: keynumbers.* (2), check.json: no jq; watch.a_save: no tmux (./lab setup --dev)"
    says err "lab: skipped: test_images: no LAB_DATA (LAB_DATA=FOLDER ./lab test -R images)"
}

test_leaves_the_gates_to_authors() { # test
    fresh_checkout
    lab test --gates -R lab
    gave 0
    called "-L ^gates\$ -R lab"
}

test_explains_itself_without_building() { # test
    fresh_checkout
    lab test --help
    gave 0
    says out "./lab test --gates"
    [ ! -s calls ] || complain "expected nothing to be built"
}

every_skip_has_a_reason_and_a_command() { # test
    ! grep -rnE 'exit 77|(^|[^_a-z])skip\(\);' "$ROOT/tests" "$ROOT/labs" --include='*.sh' --include='*.c' |
        grep -vE '(bootstrap|sentences)\.sh:' >out ||
        complain "skip WHY HOW of sentences.sh, or SKIP of tests/skip.h"
}

bench_builds_the_benches() { # test
    fresh_checkout
    lab bench sgemm
    gave 0
    called "ninja benches"
    says out "program: bench sgemm"
}

every_line_of_the_package_list_has_kind_name_and_purpose() { # test
    awk '!/^#/ && (NF < 3 || $1 !~ /^(build|optional|dev|peer)$/ || $2 !~ /^[a-z0-9.+-]+$/ || seen[$2]++) {
        print "line " NR ": " $0; bad = 1 } END { exit bad }' "$ROOT/.packages"
}

run_sentence "$@"
