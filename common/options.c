#include "common/options.h"
#include "common/console.h"
#include "common/error.h"
#include "common/nearest.h"
#include "common/text.h"
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <popt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS_MAX = 96, HELP = OPTIONS_MAX + 1 };

typedef enum OptionKind {
    OPTION_INT,
    OPTION_UINT64,
    OPTION_FLOAT,
    OPTION_FLAG,
    OPTION_STRING,
    OPTION_CHOICE,
    OPTION_CHOICES
} OptionKind;

typedef struct Option {
    OptionKind kind;
    const char *name;
    char letter;
    void *value;             // the caller's variable, of the kind's type
    double least, most;      // of OPTION_INT and OPTION_FLOAT
    const char *argument;    // how --help calls the value
    const char *choices;     // of OPTION_CHOICE and OPTION_CHOICES, with bars between them
    const char *help;
    const char *group;
    bool given;
} Option;

struct Options {
    Arena *arena;
    const char *program, *summary, *group;
    int count;
    Option items[OPTIONS_MAX];
    const char *
        rest_argument;    // the name in --help of the arguments that are not options; NULL: none allowed
    const char ***rest;
    int *rest_count;
};

Options *options_new(Arena *keep, const char *program, const char *summary)
{
    Options *options = arena_zeros(keep, sizeof *options);
    options->arena = keep;
    options->program = program;
    options->summary = summary;
    options->group = "Options";
    return options;
}

const char *options_program(const Options *options)
{
    return options->program;
}

void options_group(Options *options, const char *title)
{
    options->group = title;
}

static Option *options_find(const Options *options, const char *name)
{
    for (int i = 0; i < options->count; i++)
        if (strcmp(options->items[i].name, name) == 0) return (Option *)&options->items[i];
    return NULL;
}

static Option *options_add(Options *options, OptionKind kind, const char *name, char letter,
                           void *value, const char *help)
{
    REQUIRE(options->count < OPTIONS_MAX, "no room for --%s after %d options", name,
            options->count);
    REQUIRE(options_find(options, name) == NULL, "--%s is declared twice", name);
    Option *option = &options->items[options->count++];
    *option = (Option){.kind = kind,
                       .name = name,
                       .letter = letter,
                       .value = value,
                       .argument = "N",
                       .help = help,
                       .group = options->group};
    return option;
}

void options_int(Options *options, const char *name, char letter, int *value, int least, int most,
                 const char *help)
{
    Option *option = options_add(options, OPTION_INT, name, letter, value, help);
    option->least = least;
    option->most = most;
}

void options_uint64(Options *options, const char *name, char letter, uint64_t *value,
                    const char *help)
{
    options_add(options, OPTION_UINT64, name, letter, value, help);
}

void options_float(Options *options, const char *name, char letter, float *value, float least,
                   float most, const char *help)
{
    Option *option = options_add(options, OPTION_FLOAT, name, letter, value, help);
    option->argument = "X";
    option->least = (double)least;
    option->most = (double)most;
}

void options_flag(Options *options, const char *name, char letter, bool *value, const char *help)
{
    options_add(options, OPTION_FLAG, name, letter, value, help)->argument = NULL;
}

void options_string(Options *options, const char *name, char letter, const char **value,
                    const char *argument, const char *help)
{
    options_add(options, OPTION_STRING, name, letter, value, help)->argument = argument;
}

void options_choice(Options *options, const char *name, char letter, const char **value,
                    const char *choices, const char *help)
{
    Option *option = options_add(options, OPTION_CHOICE, name, letter, value, help);
    option->argument = "NAME";
    option->choices = choices;
}

void options_choices(Options *options, const char *name, char letter, const char **value,
                     const char *choices, const char *help)
{
    options_choice(options, name, letter, value, choices, help);
    Option *option = options_find(options, name);
    option->kind = OPTION_CHOICES;
    option->argument = "NAME,...";
}

void options_rest(Options *options, const char ***words, int *count, const char *argument)
{
    options->rest = words;
    options->rest_count = count;
    options->rest_argument = argument;
    *words = NULL;
    *count = 0;
}

bool options_has(const Options *options, const char *name)
{
    return options_find(options, name) != NULL;
}

bool options_given(const Options *options, const char *name)
{
    const Option *option = options_find(options, name);
    REQUIRE(option != NULL, "there is no option --%s", name);
    return option->given;
}

// "passes over the training images (default: 10)"
static const char *help_with_default(Arena *arena, const Option *option)
{
    char number[32];
    const char *text = number;
    switch (option->kind) {
    case OPTION_INT: snprintf(number, sizeof number, "%d", *(int *)option->value); break;
    case OPTION_UINT64:
        snprintf(number, sizeof number, "%" PRIu64, *(uint64_t *)option->value);
        break;
    case OPTION_FLOAT:
        snprintf(number, sizeof number, "%g", (double)*(float *)option->value);
        break;
    case OPTION_FLAG: return option->help;
    case OPTION_STRING:
    case OPTION_CHOICE:
    case OPTION_CHOICES: text = *(const char **)option->value; break;
    }
    if (text == NULL) return option->help;
    char *shown = arena_print(arena, "%s", text);    // perhaps from the environment
    text_clean(shown);
    text = shown;
    if (option->choices != NULL) {    // words, between which a line may end
        const char *words = "";
        for (const char *rest = option->choices; rest != NULL;) {
            int bytes = (int)strcspn(rest, "|");
            words = arena_print(arena, "%s%s%.*s", words, *words != '\0' ? ", " : "", bytes, rest);
            rest = rest[bytes] != '\0' ? rest + bytes + 1 : NULL;
        }
        return arena_print(arena, "%s: %s (default: %s)", option->help, words, text);
    }
    return arena_print(arena, "%s (default: %s)", option->help, text);
}

// popt sees every value as a string: the numbers are parsed here, where the range is known.
static struct poptOption *popt_table(const Options *options)
{
    struct poptOption *table = arena_zeros(options->arena, (OPTIONS_MAX + 2) * sizeof *table);
    for (int i = 0; i < options->count; i++) {
        const Option *option = &options->items[i];
        bool flag = option->kind == OPTION_FLAG;
        table[i] = (struct poptOption){.longName = option->name,
                                       .shortName = option->letter,
                                       .argInfo = flag ? POPT_ARG_NONE : POPT_ARG_STRING,
                                       .val = i + 1};
    }
    table[options->count] = (struct poptOption){.longName = "help", .shortName = 'h', .val = HELP};
    return table;
}

// ---- --help ----

// "-e, --epochs=N"
static const char *help_name(Arena *arena, const Option *option)
{
    const char *letter = option->letter ? arena_print(arena, "-%c, ", option->letter) : "    ";
    return arena_print(arena, "%s--%s%s%s", letter, option->name, option->argument ? "=" : "",
                       option->argument ? option->argument : "");
}

// As wide as the terminal. --help itself stands last in the last group.
static void print_help(const Options *options, const char *called)
{
    static const Option help = {
        .kind = OPTION_FLAG, .name = "help", .letter = 'h', .help = "show this and stop"};
    const Console console = console_begin();
    const char *slash = strrchr(called, '/'), *rest = options->rest_argument, *group = NULL;
    console_text(&console, CONSOLE_PLAIN, 0, options->summary);
    putchar('\n');
    console_text(&console, CONSOLE_PLAIN, 0,
                 arena_print(options->arena, "Usage: %s%s%s [OPTION...]",
                             slash ? slash + 1 : called, rest ? " " : "", rest ? rest : ""));
    size_t width = strlen(help_name(options->arena, &help));
    for (int i = 0; i < options->count; i++) {
        size_t length = strlen(help_name(options->arena, &options->items[i]));
        if (length > width) width = length;
    }
    for (int i = 0; i <= options->count; i++) {
        const Option *option = i < options->count ? &options->items[i] : &help;
        if (group == NULL || (option != &help && strcmp(option->group, group) != 0)) {
            group = option == &help ? options->group : option->group;
            printf("\n%s:\n", group);
        }
        console_item(&console, 2, (int)width + 2, help_name(options->arena, option),
                     help_with_default(options->arena, option));
    }
}

// ---- parsing ----

// The length of the first of the words that `between` separates.
static size_t word_length(const char *text, char between)
{
    return strcspn(text, (char[]){between, '\0'});
}

// Where the word after it begins; NULL after the last.
static const char *next_word(const char *text, size_t length)
{
    return text[length] == '\0' ? NULL : text + length + 1;
}

static bool holds_word(const char *list, char between, const char *word, size_t length)
{
    for (size_t bytes; list != NULL; list = next_word(list, bytes)) {
        bytes = word_length(list, between);
        if (bytes == length && memcmp(list, word, length) == 0) return true;
        // cuda:N in the list is any number
        if (bytes > 2 && memcmp(list + bytes - 2, ":N", 2) == 0 && length >= bytes &&
            memcmp(list, word, bytes - 1) == 0 &&
            strspn(word + bytes - 1, "0123456789") >= length - (bytes - 1))
            return true;
    }
    return false;
}

bool options_chosen(const char *list, const char *word)
{
    return holds_word(list, ',', word, strlen(word));
}

static bool refuse_choice(Arena *arena, const Option *option, const char *word, Error *err)
{
    const char *names[OPTIONS_MAX], *near;
    int count = 0;
    for (const char *at = option->choices; at != NULL && count < OPTIONS_MAX;) {
        size_t length = word_length(at, '|');
        names[count++] = arena_print(arena, "%.*s", (int)length, at);
        at = next_word(at, length);
    }
    error_set(err, "--%s: '%s' is not one of %s", option->name, word, option->choices);
    if ((near = nearest(word, names, count)) == NULL) return false;
    // cuda:N stands for a number
    if (strcmp(near + strcspn(near, ":"), ":N") == 0)
        near = arena_print(arena, "%.*s0", (int)strlen(near) - 1, near);
    return error_set(err, "%s; did you mean '%s'?", arena_print(arena, "%s", err->message), near);
}

// One word, or a list of them with commas.
static bool store_choice(Arena *arena, const Option *option, const char *text, Error *err)
{
    bool list = option->kind == OPTION_CHOICES;
    for (const char *word = text; word != NULL;) {
        size_t length = list ? word_length(word, ',') : strlen(word);
        if (!holds_word(option->choices, '|', word, length))
            return refuse_choice(arena, option, arena_print(arena, "%.*s", (int)length, word), err);
        word = next_word(word, length);
    }
    *(const char **)option->value = arena_print(arena, "%s", text);
    return true;
}

static bool store(Arena *arena, const Option *option, const char *text, Error *err)
{
    // strtol and its kin skip spaces and take "0x10", "inf" and "+1": digits, one point, an exponent
    // and a leading minus are all that a number on our command line may hold.
    bool plain = isdigit((unsigned char)text[text[0] == '-']) || text[text[0] == '-'] == '.';
    plain = plain && text[strspn(text, "0123456789+-.eE")] == '\0';
    char *end = NULL;
    errno = 0;
    switch (option->kind) {
    case OPTION_INT: {
        long value = strtol(text, &end, 10);
        if (!plain || *end != '\0' || errno != 0 ||
            !(value >= option->least && value <= option->most))
            return error_set(err, "--%s: '%s' is not a whole number from %.0f to %.0f",
                             option->name, text, option->least, option->most);
        *(int *)option->value = (int)value;
        return true;
    }
    case OPTION_UINT64: {
        uint64_t value = strtoull(text, &end, 10);
        if (!plain || text[0] == '-' || *end != '\0' || errno != 0)
            return error_set(err, "--%s: '%s' is not a whole number from 0 to 2^64-1", option->name,
                             text);
        *(uint64_t *)option->value = value;
        return true;
    }
    case OPTION_FLOAT: {
        float value = strtof(text, &end);
        if (!plain || *end != '\0' || !isfinite(value) ||
            !((double)value >= option->least && (double)value <= option->most))
            return error_set(err, "--%s: '%s' is not a number from %g to %g", option->name, text,
                             option->least, option->most);
        *(float *)option->value = value;
        return true;
    }
    case OPTION_FLAG: *(bool *)option->value = true; return true;
    case OPTION_STRING: *(const char **)option->value = arena_print(arena, "%s", text); return true;
    case OPTION_CHOICE:
    case OPTION_CHOICES: return store_choice(arena, option, text, err);
    }
    return true;
}

// Each option on the command line in turn; returns popt's last answer or HELP.
static int store_all(Options *options, poptContext context, Error *err)
{
    int code;
    while ((code = poptGetNextOpt(context)) > 0 && code != HELP) {
        Option *option = &options->items[code - 1];
        char *text = poptGetOptArg(context);
        bool stored = store(options->arena, option, text ? text : "", err);
        free(text);
        option->given = true;
        if (!stored) return code;
    }
    return code;
}

static void store_rest(Options *options, poptContext context)
{
    const char **left = poptGetArgs(context);
    int count = 0;
    while (left != NULL && left[count] != NULL) count++;
    *options->rest = arena_alloc(options->arena, ((size_t)count + 1) * sizeof **options->rest);
    *options->rest_count = count;
    for (int i = 0; i < count; i++)
        (*options->rest)[i] = arena_print(options->arena, "%s", left[i]);
    (*options->rest)[count] = NULL;
}

// "--utilization" is a letter off.
static void unknown_option(const Options *options, const char *word, Error *err)
{
    const char *names[OPTIONS_MAX];
    for (int i = 0; i < options->count; i++) names[i] = options->items[i].name;
    const char *near =
        strncmp(word, "--", 2) == 0 ? nearest_typo(word + 2, names, options->count) : NULL;
    if (near != NULL) error_set(err, "there is no option %s; did you mean --%s?", word, near);
    else error_set(err, "there is no option %s; --help shows those there are", word);
}

bool options_parse(Options *options, int argc, char **argv, int *status)
{
    Error err = {""};
    poptContext context = poptGetContext(options->program, argc, (const char **)argv,
                                         popt_table(options), POPT_CONTEXT_NO_EXEC);
    REQUIRE(context != NULL, "no memory to read the command line");
    console_check_output();
    int code = store_all(options, context, &err);
    if (code == HELP) {
        print_help(options, argc > 0 ? argv[0] : options->program);
    } else if (code == POPT_ERROR_BADOPT) {
        unknown_option(options, poptBadOption(context, POPT_BADOPTION_NOALIAS), &err);
    } else if (code < -1) {
        error_set(&err, "%s: %s", poptBadOption(context, POPT_BADOPTION_NOALIAS),
                  poptStrerror(code));
    } else if (code == -1 && options->rest != NULL) {
        store_rest(options, context);
    } else if (code == -1 && poptPeekArg(context) != NULL) {
        error_set(&err, "'%s' is not an option; --help shows those there are",
                  poptPeekArg(context));
    }
    poptFreeContext(context);
    if (err.message[0] != '\0') {
        error_report(&err);
        *status = 2;
        return false;
    }
    *status = 0;
    return code != HELP;
}

const char *options_quoted(Arena *arena, const char *word)
{
    char *shown = arena_print(arena, "%s", word);
    text_clean(shown);
    // What a terminal would obey is written in octal, as only $'...' of bash, ksh and zsh can.
    bool octal = strcmp(shown, word) != 0;
    if (word[0] != '\0' && !octal && strpbrk(word, " \t\n\"'\\$&|;<>()*?[]#~`!{}") == NULL)
        return word;
    char *quoted = arena_alloc(arena, 4 * strlen(word) + 4), *end = quoted;
    end = stpcpy(end, octal ? "$'" : "'");
    for (; *word != '\0'; word++) {
        bool plain = *word >= ' ' && *word <= '~' && *word != '\\';
        if (octal && (!plain || *word == '\'')) {
            end += sprintf(end, "\\%03o", (unsigned)(unsigned char)*word);
            continue;
        }
        if (*word == '\'') end = stpcpy(end, "'\\'");    // ends the quotes, a quote, and goes on
        *end++ = *word;
    }
    strcpy(end, "'");
    return quoted;
}
