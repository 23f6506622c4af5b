/* grammar.h -- text from a stochastic grammar, whose entropy is computed and not estimated.
 *
 *     Grammar *grammar = grammar_new(keep, grammar_stories);
 *     GrammarRates rates = grammar_rates(grammar);               // bits per character: the floor
 *     char text[GRAMMAR_LINE_MAX];
 *     size_t bytes = grammar_line(grammar, text, seed, 7, NULL); // line 7 of this seed
 *
 *     GrammarReader *reader = grammar_reader_new(keep, grammar); // the perfect predictor
 *     double p = grammar_read(reader, 'O');                      // of this character, given those before
 *
 * Rules are text. A symbol in braces is replaced by one of its alternatives, each as likely as the
 * others, drawn anew at each place. A symbol whose name begins with $ is a variable: drawn at its first
 * place in a line and remembered. Its alternatives have forms, of which {$hero.1} takes the second:
 *
 *     {"line", "{$hero} had a {colour} hat. {$hero.1} liked it.\n"},
 *     {"$hero", "Lily/She|Tom/He"}, {"colour", "red|blue"},
 *
 * A line is what the first symbol becomes. Lines are independent of each other and end in a newline, so
 * that the entropy rate is the entropy of a line over its expected length. That of a line is the
 * entropy of its choices, as long as each text has one derivation (Chi 1999, "Statistical Properties of
 * Probabilistic Context-Free Grammars"), which the reader tells: it sums over all of them.
 */
#pragma once
#include <stdint.h>
#include "common/arena.h"

typedef struct GrammarRule {
    const char *symbol, *alternatives;    // these are separated by |, their forms by /
} GrammarRule;

extern const GrammarRule grammar_stories[];    // tiny stories; {NULL} ends the rules

typedef struct Grammar Grammar;

// Stops the program where a rule names a symbol that is not there, or where alternatives differ in
// the variables that they draw: then there would be no closed form.
Grammar *grammar_new(Arena *keep, const GrammarRule *rules);

typedef struct GrammarRates {
    double bits, characters, words;    // of a line, expected; a word ends in a space or a newline
    double bits_per_character, bits_per_word;
    int vocabulary;    // different words, without punctuation
} GrammarRates;
GrammarRates grammar_rates(const Grammar *grammar);

// Line `index` depends on (seed, index) and nothing else. Returns its bytes, without a NUL; bits: NULL,
// or the -log2 of the probability of the choices that made it.
enum { GRAMMAR_LINE_MAX = 4096 };
size_t grammar_line(const Grammar *grammar, char text[GRAMMAR_LINE_MAX], uint64_t seed,
                    uint64_t index, double *bits);

// Whole lines, from line `first` on, `bytes` of them or a little more; NUL-terminated.
char *grammar_text(Arena *arena, const Grammar *grammar, uint64_t seed, uint64_t first,
                   size_t bytes, size_t *length);

// Knows the grammar, begins at the beginning of a line, and is given one character after the other.
typedef struct GrammarReader GrammarReader;
GrammarReader *grammar_reader_new(Arena *keep, const Grammar *grammar);
void grammar_reader_restart(GrammarReader *reader);    // at the beginning of a line
// P(next character = c | the characters before), then takes c as read. 0 where the grammar cannot go on
// with c; the reader must then be restarted.
double grammar_read(GrammarReader *reader, char c);
// P(next character) for all 256.
void grammar_reader_expect(const GrammarReader *reader, double p[256]);
// Derivations that the text so far may have, with what comes next.
int grammar_reader_derivations(const GrammarReader *reader);
