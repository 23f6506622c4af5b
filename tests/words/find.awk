# find.awk -- finds paraphrases (paraphrases.txt) in files: FILE:LINE, the phrase, the term to use.
#
#     awk -f find.awk paraphrases.txt FILE...        exit status 1 when there is one
#
# A line is compared in lower case and without punctuation; `_` and a capital inside of a word separate
# words. A phrase may continue on the next line.
function trim(s) { sub(/^ +/, "", s); sub(/ +$/, "", s); return s }

function words(s)
{
    while (match(s, /[a-z][A-Z]/)) s = substr(s, 1, RSTART) " " substr(s, RSTART + 1)
    s = tolower(s)
    gsub(/[^a-z0-9%]+/, " ", s)
    return " " trim(s) " "
}

# The code of a line of C: without comments and strings. `inside` a comment that began before.
function code_of(s,    out, c, at, n)
{
    out = ""
    for (at = 1; at <= length(s); at++) {
        c = substr(s, at, 2)
        if (inside) { if (c == "*/") { inside = 0; at++ } continue }
        if (c == "//") break
        if (c == "/*") { inside = 1; at++; continue }
        c = substr(c, 1, 1)
        if (c == "\"") {
            for (at++; at <= length(s) && substr(s, at, 1) != "\""; at++)
                if (substr(s, at, 1) == "\\") at++
            out = out " "
            continue
        }
        out = out c
    }
    return out
}

# The text of a line's string literals.
function strings_of(s,    out, at)
{
    out = ""
    while ((at = index(s, "\"")) > 0) {
        s = substr(s, at + 1)
        for (at = 1; at <= length(s) && substr(s, at, 1) != "\""; at++)
            if (substr(s, at, 1) == "\\") at++
        out = out " " substr(s, 1, at - 1)
        s = substr(s, at + 1)
    }
    return out
}

# Whether the phrase is a part of a standard term (`fine`), as "freedom" in "degrees of freedom".
function is_standard(text, begin, end,    i, at)
{
    for (i = 1; i <= fine_count; i++)
        for (at = 1; match(substr(text, at), " (" fine[i] ") "); at += RSTART)
            if (at + RSTART - 1 <= begin && at + RSTART + RLENGTH - 2 >= end) return 1
    return 0
}

# Whether the line is marked for this phrase. A term of it has to come first in the file.
function allowed(phrase, i,    t, n, terms)
{
    if (index(marked, " " phrase " ") == 0) return 0
    n = split(term[i], terms, /, */)
    for (t = 1; t <= n; t++) if (index(seen, words(terms[t])) > 0) return 1
    print FILENAME ":" FNR ": \"" phrase "\" is marked as an image, but its term does not come before it: " term[i]
    bad = 1
    return 1
}

function search(kind, text, carried,    i, from, phrase)
{
    if (text == "  " || text !~ all[kind]) return
    for (i = 1; i <= count; i++) {
        if (of[i] != kind || FILENAME !~ where[i]) continue
        from = 1
        while (match(substr(text, from), " (" pattern[i] ") ")) {
            phrase = trim(substr(text, from + RSTART - 1, RLENGTH))
            from += RSTART + RLENGTH - 2
            if (from <= carried || is_standard(text, from - RLENGTH + 1, from) || allowed(phrase, i)) continue
            print FILENAME ":" FNR ": \"" phrase "\": write " term[i]
            bad = 1
        }
    }
}

FNR == NR {
    if (/^ *(#|$)/) next
    if (split($0, part, / +[|] */) < 3 && !/^fine +[|]/) {
        print FILENAME ":" FNR ": expected KIND | PARAPHRASE | TERM"
        bad = 1
        next
    }
    kind = part[1]
    if (kind == "fine") { fine[++fine_count] = part[2]; next }
    where[++count] = (at = index(kind, "@")) > 0 ? substr(kind, at + 1) : "."
    of[count] = kind = at > 0 ? substr(kind, 1, at - 1) : kind
    pattern[count] = part[2]
    term[count] = part[3]
    all[kind] = (all[kind] == "" ? "" : all[kind] "|") " (" pattern[count] ") "
    next
}

FNR == 1 {
    inside = 0
    carry = ""
    seen = " "
    c_code = FILENAME ~ /[.][ch]$/
    shell = FILENAME ~ /[.]sh$/
    prose = FILENAME ~ /[.](md|json|mutants|in|txt)$/
    n = split(FILENAME, path, "/")
    search("name", words(path[n]), 0)
}

{
    line = $0
    marked = ""
    if (match(line, /(<!--|\/\/|#) image: /)) {
        at = RSTART
        marked = words(substr(line, at + RLENGTH))
        line = substr(line, 1, at - 1)
    }
    whole = words(line)
    seen = seen whole
    search("any", carry whole, length(carry) + 1)
    if (prose) search("text", carry whole, length(carry) + 1)
    if (c_code) {
        search("text", words(strings_of(line)), 0)
        search("label", words(strings_of(line)), 0)
        search("name", words(code_of(line)), 0)
    }
    if (shell && match(line, /^[a-z0-9_]+\(\)/)) search("name", words(substr(line, 1, RLENGTH)), 0)
    # The last words, since a phrase may go on in the next line.
    n = split(whole, tail, " ")
    carry = " "
    for (k = n - 3 > 1 ? n - 3 : 1; k <= n; k++) if (tail[k] != "") carry = carry tail[k] " "
    carry = substr(carry, 1, length(carry) - 1)
}

END { exit bad }
