#define PCRE2_CODE_UNIT_WIDTH 8
#include "labs/3_language/tokenizer/app/text/regex.h"
#include <pcre2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/text.h"

// Alphabetic, which PCRE2 knows from 10.40 on, marks, decimal numbers, connectors, and those of Latin-1.
#define WORD                                                                                       \
    "\\p{L}\\p{Nl}\\p{M}\\p{Nd}\\p{Pc}\\x{24b6}-\\x{24e9}\\x{1f130}-\\x{1f149}\\x{1f150}-\\x{"     \
    "1f169}"                                                                                       \
    "\\x{1f170}-\\x{1f189}\\x{b2}\\x{b3}\\x{b9}\\x{bc}-\\x{be}"

// Steps of one match. A real pattern needs some per character of a piece; (a+)+ needs 2^length.
enum { MATCH_LIMIT = 10000000, HEAP_KIB = 256 << 10, EXPRESSION_MAX = 10000 };

struct Regex {
    pcre2_code *code;
    pcre2_match_context *limits;
    char shown[64];
};

// Whether the } at `end` closes {1,3}, and not \x{41}.
static bool is_times(const char *expression, const char *end)
{
    const char *at = end;
    while (at > expression && strchr("0123456789,", at[-1]) != NULL) at--;
    if (at == end || at == expression || at[-1] != '{') return false;
    return at - expression < 3 || at[-3] != '\\' || strchr("xop", at[-2]) == NULL;
}

// PCRE2's own \s has U+180E besides, its \w other characters, its \h is a blank: spelled out, by what is in
// the class and what is not, and \b by \w. Sets within sets are Oniguruma's, which `tokenizers` has.
static const struct {
    char letter;
    const char *in,
        *out;    // of what is not in the class, for \S within a set; NULL: not so supported
} letters[] = {
    {'s',
     "\\x{9}-\\x{d} "
     "\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}",
     "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{7f}-\\x{84}\\x{86}-\\x{9f}\\p{Cf}\\p{Cn}\\p{Co}\\p{L}\\p{M}"
     "\\p{N}\\p{P}\\p{S}"},
    {'w', WORD, NULL},
    {'d', "\\p{Nd}", "\\P{Nd}"},
    {'h', "0-9a-fA-F", "\\x{0}-/:-@G-`g-\\x{10ffff}"},
};

// Behind \p: a script's name. That of PCRE2 10.40 are all characters that the script uses; "{sc:" are its own.
static const char *script(const char **at)
{
    static const char *const others[] = {"Any}", "Alphabetic}", "White_Space}"};
    if ((*at)[1] != '{' || PCRE2_MAJOR * 100 + PCRE2_MINOR < 1040) return "";
    bool negated = (*at)[2] == '^';
    const char *name = *at + 2 + negated;
    if (strcspn(name, "}") < 3) return "";
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strncmp(name, others[i], strlen(others[i])) == 0) return "";
    *at = name - 1;
    return negated ? "{^sc:" : "{sc:";
}

// Within a set, where [:punct:] begins: the classes that it is. NULL: they are not PCRE2's.
static const char *posix_class(const char **at)
{
    static const char *const known[][2] = {
        {"[:punct:]", "\\p{P}\\p{S}"}, {"[:digit:]", "\\p{Nd}"}, {"[:xdigit:]", "0-9a-fA-F"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strncmp(*at, known[i][0], strlen(known[i][0])) == 0) {
            *at += strlen(known[i][0]) - 1;
            return known[i][1];
        }
    if (strncmp(*at, "[:space:]", 9) != 0) return NULL;
    *at += 8;
    return letters[0].in;
}

// NULL, or what is not supported.
static const char *spell_out(const char *expression, char *out, size_t room)
{
    int in_set = 0;
    size_t used = 0;
    for (const char *at = expression; *at != '\0'; at++) {
        char one[3] = {at[0], at[0] == '\\' ? at[1] : '\0', '\0'};
        const char *what = one, *before = "", *after = "";
        if (one[1] != '\0') {
            at++;
            for (size_t i = 0; i < sizeof letters / sizeof *letters; i++) {
                bool negated = one[1] == (letters[i].letter & ~0x20);
                if (one[1] != letters[i].letter && !negated) continue;
                if (negated && in_set && letters[i].out == NULL) return "\\W is within a set";
                what = negated && in_set ? letters[i].out : letters[i].in;
                if (!in_set) before = negated ? "[^" : "[", after = "]";
            }
            if (one[1] == 'b' && !in_set)
                what = "(?:(?<=[" WORD "])(?![" WORD "])|(?<![" WORD "])(?=[" WORD "]))";
            if (one[1] == 'p' || one[1] == 'P') after = script(&at);
        } else if (one[0] == '[' && in_set == 0) in_set = 1;
        else if (one[0] == '[' && at[1] == ':') {
            if ((what = posix_class(&at)) == NULL)
                return "of [: :] there are digit, punct, space, xdigit";
        } else if (one[0] == '[') {    // a set within one is part of it
            if (at[1] == '^') return "a set within a set is negated";
            in_set++;
            continue;
        } else if (one[0] == ']' && in_set > 0 && --in_set > 0) continue;
        else if (one[0] == '&' && at[1] == '&' && in_set > 0) return "sets are intersected";
        else if (in_set == 0 && strncmp(at, "(?m", 3) == 0) return "(?m) has another meaning";
        else if (in_set == 0 && at[0] == '}' && at[1] == '+' && is_times(expression, at))
            return "'}+' repeats for Oniguruma, and is possessive here";
        int n = snprintf(out + used, room - used, "%s%s%s", before, what, after);
        if (n < 0 || (size_t)n >= room - used) return "it is too long";
        used += (size_t)n;
    }
    return NULL;
}

Regex *regex_open(const char *expression, Error *err)
{
    char *spelled = malloc(16 * EXPRESSION_MAX);
    Regex *regex = calloc(1, sizeof *regex);
    REQUIRE(spelled != NULL && regex != NULL, "no memory for a pattern");
    snprintf(regex->shown, sizeof regex->shown, "%.60s", expression);
    text_clean(regex->shown);
    const char *unsupported = NULL;
    if (strlen(expression) > EXPRESSION_MAX)
        error_set(err, "the pattern '%s...' is over %d bytes", regex->shown, EXPRESSION_MAX);
    else if ((unsupported = spell_out(expression, spelled, 16 * EXPRESSION_MAX)) != NULL)
        error_set(err, "the pattern '%s' is not supported: %s", regex->shown, unsupported);
    else {
        int code = 0;
        PCRE2_SIZE at = 0;
        regex->code = pcre2_compile((PCRE2_SPTR)spelled, PCRE2_ZERO_TERMINATED,
                                    PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF |
                                        PCRE2_NEVER_BACKSLASH_C | PCRE2_MULTILINE,
                                    &code, &at, NULL);
        if (regex->code == NULL) {
            char why[128] = "";
            pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
            error_set(err, "the pattern '%s' is not valid: %s", regex->shown, why);
        }
    }
    free(spelled);
    if (regex->code == NULL) {
        free(regex);
        return NULL;
    }
    pcre2_jit_compile(regex->code, PCRE2_JIT_COMPLETE);    // without it matching is slower
    regex->limits = pcre2_match_context_create(NULL);
    REQUIRE(regex->limits != NULL, "no memory for a pattern");
    pcre2_set_match_limit(regex->limits, MATCH_LIMIT);
    pcre2_set_heap_limit(regex->limits, HEAP_KIB);
    return regex;
}

void regex_close(Regex *regex)
{
    if (regex == NULL) return;
    pcre2_match_context_free(regex->limits);
    pcre2_code_free(regex->code);
    free(regex);
}

RegexResult regex_find(const Regex *regex, const uint8_t *text, size_t at, size_t end,
                       size_t *first, size_t *last, Error *err)
{
    pcre2_match_data *match = pcre2_match_data_create(1, NULL);
    REQUIRE(match != NULL, "no memory for a match");
    int found = pcre2_match(regex->code, text, end, at, 0, match, regex->limits);
    const PCRE2_SIZE *place = pcre2_get_ovector_pointer(match);
    *first = place[0];
    *last = place[1];
    pcre2_match_data_free(match);
    if (found >= 0 && *last >= *first) return REGEX_FOUND;
    if (found == PCRE2_ERROR_NOMATCH) return REGEX_NONE;
    char why[128] = "";
    pcre2_get_error_message(found, (PCRE2_UCHAR *)why, sizeof why);
    error_set(err, "the pattern '%s' gives up at byte %zu of a text: %s", regex->shown, at,
              found >= 0 ? "its match ends before it begins" : why);
    return REGEX_FAILED;
}
