/* json_grammar.h -- the parts of JSON text as nodes of a grammar.
 *
 *     JsonGrammar j = json_grammar_begin(g);
 *     grammar_set_start(g, json_grammar_object_any(&j, grammar_return(g)));    // {"any": ["object"]}
 *
 * White space is what models write and no more, so that none goes on with it for ever: nothing, a space, or a line
 * feed and up to 20 spaces. Whole numbers have up to 18 digits, fractions up to 17, exponents up to 2. Strings
 * are UTF-8 without control characters; escapes are all of JSON's but those of half a pair (\ud83d) and \u0000.
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/sampling/grammar.h"

typedef struct JsonGrammar {
    Grammar *grammar;
    int value, character, space;    // rules
} JsonGrammar;

JsonGrammar json_grammar_begin(Grammar *grammar);

// Each returns a node that reads the part, and then goes on at `next`.
int json_grammar_space(const JsonGrammar *j, int next);
int json_grammar_string(const JsonGrammar *j, int least, int most,
                        int next);    // characters; most -1: any
int json_grammar_number(const JsonGrammar *j, bool negative, int next);
int json_grammar_integer(const JsonGrammar *j, int64_t least, int64_t most,
                         int next);    // not empty
int json_grammar_any(const JsonGrammar *j, int next);
int json_grammar_object_any(const JsonGrammar *j, int next);
int json_grammar_array_any(const JsonGrammar *j, int next);

enum { JSON_DIGITS = 18 };
static const int64_t JSON_MOST = 999999999999999999;    // of JSON_DIGITS digits
