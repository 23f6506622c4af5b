# mutate.awk -- awk -f mutate.awk NAME.mutant NAME.c: the source with the mutant's edits in it.
#
# Inside the exercise's region lines lose their leading blanks and are joined; a hunk's old text has to
# stand there exactly once. What is wrong with a mutant goes to stderr, with exit status 1.

function fail(message) { print message > "/dev/stderr"; failed = 1; exit 1 }

function edited(region,    h, at, rest) {
    for (h = 1; h <= hunks; h++) {
        at   = index(region, old[h])
        rest = substr(region, at + length(old[h]))
        if (at == 0) fail("does not stand in the exercise: " old[h])
        if (index(rest, old[h]) > 0) fail("stands in the exercise more than once: " old[h])
        region = substr(region, 1, at - 1) new[h] rest
    }
    return region
}

# First the mutant: "- " lines and the "+ " lines after them are a hunk.
NR == FNR && FNR == 1 { exercise = $2; next }
NR == FNR && /^-/     { if (last != "-") hunks++
                        old[hunks] = old[hunks] (last == "-" ? "\n" : "") substr($0, 3) }
NR == FNR && /^\+/    { new[hunks] = new[hunks] (last == "+" ? "\n" : "") substr($0, 3) }
NR == FNR             { last = substr($0, 1, 1); next }

# Then the source.
$1 == "//" && $2 == "end" && $3 == exercise { printf "%s", edited(region); inside = 0; found = 1 }
inside                                      { sub(/^ */, ""); region = region $0 "\n"; next }
                                            { print }
$1 == "//" && $2 == "solution" && $3 == exercise { inside = 1 }

END {
    if (failed) exit 1
    if (!found) fail("there is no exercise " exercise)
    if (!hunks) fail("changes nothing")
}
