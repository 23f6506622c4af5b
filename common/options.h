/* options.h -- a program's command line: typed options with ranges, defaults shown in --help.
 *
 *     Options *options = options_new(keep, "autoencoder", "Compresses digits into a few numbers.");
 *     options_group(options, "This lab");
 *     options_int(options, "epochs", 'e', &cfg.epochs, 1, 10000, "passes over the training images");
 *     options_float(options, "rate", 'r', &cfg.rate, 0.0f, 1.0f, "learning rate");
 *     options_choice(options, "loss", 0, &cfg.loss, "mse|bce", "what is minimized");
 *     int status;
 *     if (!options_parse(options, argc, argv, &status)) return status;    // 0 after --help, 2 if wrong
 *
 * What a variable holds when its option is declared is the default. Options are declared once, by a
 * name without dashes and a letter (0 for none); names, helps and choices are borrowed. Strings and
 * choices that were given live in the arena.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "common/arena.h"

typedef struct Options Options;

Options *options_new(Arena *keep, const char *program, const char *summary);

// What follows stands under this title in --help.
void options_group(Options *options, const char *title);

void options_int(Options *options, const char *name, char letter, int *value, int least, int most,
                 const char *help);
void options_uint64(Options *options, const char *name, char letter, uint64_t *value,
                    const char *help);
void options_float(Options *options, const char *name, char letter, float *value, float least,
                   float most, const char *help);
void options_flag(Options *options, const char *name, char letter, bool *value, const char *help);
// `argument` names the value in --help: DIR, FILE. A NULL default is not shown.
void options_string(Options *options, const char *name, char letter, const char **value,
                    const char *argument, const char *help);
// `choices` are separated by bars: "cpu|cuda|cuda:N", where N is any number.
void options_choice(Options *options, const char *name, char letter, const char **value,
                    const char *choices, const char *help);
// One or more of the choices, separated by commas: "--part fit,pages".
void options_choices(Options *options, const char *name, char letter, const char **value,
                     const char *choices, const char *help);
// Whether a list that options_choices() stored holds the word.
bool options_chosen(const char *list, const char *word);

// The words that are no options, in their order and as many as there are; without this call each is
// refused. `argument` names them in --help: "MODEL...".
void options_rest(Options *options, const char ***words, int *count, const char *argument);

// True when the program should go on. Otherwise *status is what main() returns: 0 after --help was
// printed; 2 after one sentence on stderr (unknown option, a bad or missing value, an argument left
// over). From here on output that cannot be written ends the program with a sentence and 1.
bool options_parse(Options *options, int argc, char **argv, int *status);

bool options_has(const Options *options, const char *name);    // whether it was declared

// Whether the command line held this option, so that --smoke can spare what was asked for.
bool options_given(const Options *options, const char *name);

const char *options_program(const Options *options);

// A word of a command that is to be typed again: in quotes when a shell would take it apart.
const char *options_quoted(Arena *arena, const char *word);
