#include "labs/5_frontier/paged_kv/app/sampling/json_grammar.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// ---- bytes ----

static int one(const JsonGrammar *j, char c, int next)
{
    return grammar_range(j->grammar, (uint8_t)c, (uint8_t)c, next);
}

static void include(ByteSet *set, int first, int last)
{
    for (int c = first; c <= last; c++) set->bits[c / 64] |= (uint64_t)1 << c % 64;
}

static int any_of(const JsonGrammar *j, const char *bytes, int next)
{
    ByteSet set = {{0}};
    for (; *bytes != '\0'; bytes++) include(&set, (uint8_t)*bytes, (uint8_t)*bytes);
    return grammar_bytes(j->grammar, set, next);
}

// Ways that are tried side by side. The chain is in a split's first way, which needs no recursion to follow.
static int either(const JsonGrammar *j, int chain, int more)
{
    return grammar_split(j->grammar, chain, more);
}

// ---- strings ----

static int hex_digits(const JsonGrammar *j, int count, int next)
{
    for (int i = 0; i < count; i++) next = any_of(j, "0123456789abcdefABCDEF", next);
    return next;
}

// What follows \u: no half of a pair, not 0000.
static int unicode_escape(const JsonGrammar *j, int next)
{
    const char *other = "123456789abcefABCEF", *from_1 = "123456789abcdefABCDEF";
    int ways = any_of(j, other, hex_digits(j, 3, next));
    ways = either(j, ways, any_of(j, "dD", any_of(j, "01234567", hex_digits(j, 2, next))));
    int zeros = any_of(j, from_1, next);
    for (int more = 1; more <= 2; more++)
        zeros = either(j, any_of(j, from_1, hex_digits(j, more, next)), one(j, '0', zeros));
    return either(j, ways, one(j, '0', zeros));
}

// The well-formed sequences of Unicode 15, table 3-7.
static int utf8_beyond_ascii(const JsonGrammar *j, int next)
{
    static const struct {
        uint8_t first, last, least, most;    // of the first byte and of the second
        int more;                            // bytes behind these
    } forms[] = {{0xc2, 0xdf, 0x80, 0xbf, 0}, {0xe0, 0xe0, 0xa0, 0xbf, 1},
                 {0xe1, 0xec, 0x80, 0xbf, 1}, {0xed, 0xed, 0x80, 0x9f, 1},
                 {0xee, 0xef, 0x80, 0xbf, 1}, {0xf0, 0xf0, 0x90, 0xbf, 2},
                 {0xf1, 0xf3, 0x80, 0xbf, 2}, {0xf4, 0xf4, 0x80, 0x8f, 2}};
    int ways = -1;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        int rest = next;
        for (int k = 0; k < forms[i].more; k++) rest = grammar_range(j->grammar, 0x80, 0xbf, rest);
        rest = grammar_range(j->grammar, forms[i].least, forms[i].most, rest);
        rest = grammar_range(j->grammar, forms[i].first, forms[i].last, rest);
        ways = ways < 0 ? rest : either(j, ways, rest);
    }
    return ways;
}

static int character(const JsonGrammar *j, int next)
{
    ByteSet plain = {{0}};
    include(&plain, ' ', '~');
    include(&plain, 0x7f, 0x7f);
    plain.bits['"' / 64] &= ~((uint64_t)1 << '"' % 64);
    plain.bits['\\' / 64] &= ~((uint64_t)1 << '\\' % 64);
    const int escape =
        either(j, any_of(j, "\"\\/bfnrt", next), one(j, 'u', unicode_escape(j, next)));
    int ways = either(j, grammar_bytes(j->grammar, plain, next), one(j, '\\', escape));
    return either(j, utf8_beyond_ascii(j, next), ways);
}

int json_grammar_string(const JsonGrammar *j, int least, int most, int next)
{
    next = one(j, '"', next);
    if (most < 0) {
        const int loop = grammar_later(j->grammar);
        grammar_set_split(j->grammar, loop, next, character(j, loop));
        next = loop;
    }
    const int close = next;
    for (int i = most < 0 ? least : most; i > 0; i--) {
        next = grammar_call(j->grammar, j->character, next);
        if (i > least) next = either(j, close, next);
    }
    return one(j, '"', next);
}

// ---- numbers ----

// Up to `most` digits.
static int digits(const JsonGrammar *j, int most, int next)
{
    int ways = next;
    for (int i = 0; i < most; i++)
        ways = either(j, next, grammar_range(j->grammar, '0', '9', ways));
    return ways;
}

static int from_1_to_9(const JsonGrammar *j, int next)
{
    return grammar_range(j->grammar, '1', '9', next);
}

int json_grammar_number(const JsonGrammar *j, bool negative, int next)
{
    const int power = grammar_range(j->grammar, '0', '9', digits(j, 1, next));
    const int sign = either(j, power, any_of(j, "+-", power));
    const int exponent = either(j, next, any_of(j, "eE", sign));
    const int places = grammar_range(j->grammar, '0', '9', digits(j, 16, exponent));
    const int fraction = either(j, exponent, one(j, '.', places));
    const int whole =
        either(j, one(j, '0', fraction), from_1_to_9(j, digits(j, JSON_DIGITS - 1, fraction)));
    return negative ? either(j, whole, one(j, '-', whole)) : whole;
}

static bool all(const char *digits_text, char digit)
{
    return strspn(digits_text, (char[]){digit, '\0'}) == strlen(digits_text);
}

// Whole numbers between two of as many digits.
static int between(const JsonGrammar *j, const char *low, const char *high, int next)
{
    if (low[0] == '\0') return next;
    if (all(low, '0') && all(high, '9')) {
        for (size_t i = strlen(low); i > 0; i--) next = grammar_range(j->grammar, '0', '9', next);
        return next;
    }
    char zeros[JSON_DIGITS + 1] = "", nines[JSON_DIGITS + 1] = "";
    const size_t rest = strlen(low) - 1;
    memset(zeros, '0', rest);
    memset(nines, '9', rest);
    if (low[0] == high[0]) return one(j, low[0], between(j, low + 1, high + 1, next));
    int first = (uint8_t)low[0], last = (uint8_t)high[0], ways = -1;
    if (!all(low + 1, '0')) ways = one(j, (char)first++, between(j, low + 1, nines, next));
    if (!all(high + 1, '9')) {
        const int end = one(j, (char)last--, between(j, zeros, high + 1, next));
        ways = ways < 0 ? end : either(j, ways, end);
    }
    if (first > last) return ways;
    const int middle = grammar_range(j->grammar, first, last, between(j, zeros, nines, next));
    return ways < 0 ? middle : either(j, ways, middle);
}

// Of low ... high, not negative: by the number of digits.
static int natural(const JsonGrammar *j, int64_t low, int64_t high, int next)
{
    int ways = -1;
    for (int64_t power = 1; power <= JSON_MOST; power *= 10) {
        const int64_t first = power == 1 ? 0 : power, last = 10 * power - 1;
        if (first > high || last < low) continue;
        char from[24], to[24];    // any of 64 bits
        snprintf(from, sizeof from, "%" PRId64, first > low ? first : low);
        snprintf(to, sizeof to, "%" PRId64, last < high ? last : high);
        const int some = between(j, from, to, next);
        ways = ways < 0 ? some : either(j, ways, some);
    }
    return ways;
}

int json_grammar_integer(const JsonGrammar *j, int64_t least, int64_t most, int next)
{
    int ways = -1;
    if (most >= 0) ways = natural(j, least > 0 ? least : 0, most, next);
    if (least < 0) {
        const int below = one(j, '-', natural(j, most < 0 ? -most : 1, -least, next));
        ways = ways < 0 ? below : either(j, ways, below);
    }
    return ways;
}

// ---- any value ----

int json_grammar_space(const JsonGrammar *j, int next)
{
    return grammar_call(j->grammar, j->space, next);
}

int json_grammar_any(const JsonGrammar *j, int next)
{
    return grammar_call(j->grammar, j->value, next);
}

// open item, item, ... close, or open close
static int list_of(const JsonGrammar *j, char open, char close, int rule, int next)
{
    Grammar *g = j->grammar;
    const int end = one(j, close, next), more = grammar_later(g);
    const int item = grammar_call(g, rule, json_grammar_space(j, more));
    grammar_set_split(g, more, end, one(j, ',', json_grammar_space(j, item)));
    return one(j, open, json_grammar_space(j, either(j, end, item)));
}

int json_grammar_array_any(const JsonGrammar *j, int next)
{
    return list_of(j, '[', ']', j->value, next);
}

int json_grammar_object_any(const JsonGrammar *j, int next)
{
    const int pair = grammar_rule(j->grammar);
    const int value = json_grammar_any(j, grammar_return(j->grammar));
    const int colon = one(j, ':', json_grammar_space(j, value));
    grammar_set_rule(j->grammar, pair, json_grammar_string(j, 0, -1, colon));
    return list_of(j, '{', '}', pair, next);
}

JsonGrammar json_grammar_begin(Grammar *g)
{
    JsonGrammar j = {g, grammar_rule(g), grammar_rule(g), grammar_rule(g)};
    const int end = grammar_return(g);
    grammar_set_rule(g, j.character, character(&j, end));
    int indent = end;
    for (int i = 0; i < 20; i++) indent = either(&j, end, one(&j, ' ', indent));
    grammar_set_rule(g, j.space,
                     either(&j, either(&j, end, one(&j, ' ', end)), one(&j, '\n', indent)));
    int ways = grammar_literal(g, "null", end);
    ways = either(&j, ways, grammar_literal(g, "true", end));
    ways = either(&j, ways, grammar_literal(g, "false", end));
    ways = either(&j, ways, json_grammar_string(&j, 0, -1, end));
    ways = either(&j, ways, json_grammar_number(&j, true, end));
    ways = either(&j, ways, json_grammar_array_any(&j, end));
    ways = either(&j, ways, json_grammar_object_any(&j, end));
    grammar_set_rule(g, j.value, ways);
    return j;
}
