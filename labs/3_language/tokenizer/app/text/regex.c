#define PCRE2_CODE_UNIT_WIDTH 8
#include "labs/3_language/tokenizer/app/text/regex.h"
#include <pcre2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/text.h"

// Steps of one match. A real pattern needs some per character of a piece; (a+)+ needs 2^length.
#define WORD "[\\p{L}\\p{M}\\p{N}\\p{Pc}]"

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

// PCRE2's own \s has U+180E besides, its \w no marks, its \h is a blank: spelled out, outside a set
// and inside one, and \b by \w.
// Sets within sets are Oniguruma's, which `tokenizers` has. NULL, or what is not supported.
static const char *spell_out(const char *expression, char *out, size_t room)
{
    static const struct {
        char letter;
        const char *set;
    } letters[] = {
        {'s', "\\x{9}-\\x{d} \\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}"
              "\\x{205f}\\x{3000}"},
        {'w', "\\p{L}\\p{M}\\p{N}\\p{Pc}"},
        {'d', "\\p{Nd}"},
        {'h', "0-9a-fA-F"},
    };
    int in_set = 0;
    size_t used = 0;
    for (const char *at = expression; *at != '\0'; at++) {
        char one[3] = {at[0], at[0] == '\\' ? at[1] : '\0', '\0'};
        const char *what = one, *before = "", *after = "";
        if (one[1] != '\0') {
            at++;
            for (size_t i = 0; i < sizeof letters / sizeof *letters; i++) {
                bool negated = one[1] == (letters[i].letter & ~0x20);
                if (one[1] != letters[i].letter && !(negated && !in_set)) continue;
                what = letters[i].set;
                if (!in_set) before = negated ? "[^" : "[", after = "]";
            }
            if (one[1] == 'b' && !in_set)
                what = "(?:(?<=" WORD ")(?!" WORD ")|(?<!" WORD ")(?=" WORD "))";
        } else if (one[0] == '[' && in_set == 0) in_set = 1;
        else if (one[0] == '[' && at[1] != ':') {    // a set within one is part of it
            if (at[1] == '^') return "a set within a set is negated";
            in_set++;
            continue;
        } else if (one[0] == ']' && in_set > 0 && at > expression && at[-1] != ':' && --in_set > 0)
            continue;
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
