#include "labs/5_frontier/key_numbers/app/question/question.h"
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "common/nearest.h"

const QuestionField question_fields[] = {
#define X(name, kind, type, fallback, least, most, choices, group, about)                          \
    {#name, QUESTION_##kind, least, most, choices, group, about, offsetof(Question, name)},
    QUESTION_LIST(X)
#undef X
};
const int question_field_count = sizeof question_fields / sizeof *question_fields;
_Static_assert(sizeof question_fields / sizeof *question_fields <= 64, "a bit of `given` for each");

Question question_default(void)
{
    return (Question){
#define X(name, kind, type, fallback, ...) .name = fallback,
        QUESTION_LIST(X)
#undef X
    };
}

// An option's dashes are a field's underscores.
static bool is_name(const char *field, const char *name)
{
    for (; *field != '\0' || *name != '\0'; field++, name++)
        if (*field != *name && !(*field == '_' && *name == '-')) return false;
    return true;
}

const QuestionField *question_field(const char *name)
{
    for (int i = 0; i < question_field_count; i++)
        if (is_name(question_fields[i].name, name)) return &question_fields[i];
    return NULL;
}

// The place of `text` in a list of words with bars between them; -1: it is not there.
static int find_choice(const char *choices, const char *text)
{
    size_t length = strlen(text);
    int place = 0;
    for (const char *at = choices;; at = strchr(at, '|') + 1, place++) {
        if (strcspn(at, "|") == length && strncmp(at, text, length) == 0) return place;
        if (strchr(at, '|') == NULL) return -1;
    }
}

static double suffix_factor(QuestionKind kind, const char *suffix)
{
    static const char letters[] = "kmbt";
    if (suffix[0] == '\0') return 1;
    const char *letter = strchr(letters, tolower((unsigned char)suffix[0]));
    if (letter == NULL || suffix[1] != '\0' || kind == QUESTION_REAL) return NAN;
    double step = kind == QUESTION_TOKENS ? 1024 : 1000;
    return pow(step, (double)(letter - letters + 1));
}

// "128kb" and "8 k tokens": the number up to its letter, if that is valid; otherwise "".
static const char *shorter(const QuestionField *field, const char *text, char shown[48])
{
    char *end;
    double number;
    shown[0] = '\0';
    if (!isdigit((unsigned char)text[0]) || strlen(text) > 32) return shown;
    strtod(text, &end);
    size_t length = (size_t)(end - text), blanks = strspn(end, " ");
    if (end[blanks] == '\0') return shown;
    char word[40];
    snprintf(word, sizeof word, "%.*s%c", (int)length, text, end[blanks]);
    Error unused;
    bool valid = strlen(word) < strlen(text) && question_number(field, word, &number, &unused);
    // A unit that is the field's own: "24GB" of memory.
    if (!valid && field->kind != QUESTION_TOKENS && isalpha((unsigned char)end[blanks])) {
        snprintf(word, sizeof word, "%.*s", (int)length, text);
        valid = question_number(field, word, &number, &unused);
    }
    if (valid && snprintf(shown, 48, "; did you mean %s?", word) >= 48) shown[0] = '\0';
    return shown;
}

// 0 stands for "not given" where it is the default, as of a bandwidth.
static bool takes_zero(const QuestionField *field)
{
    Question question = question_default();
    const void *value = (const char *)&question + field->offset;
    bool real = field->kind == QUESTION_AMOUNT || field->kind == QUESTION_REAL;
    return real ? *(const double *)value == 0 : *(const uint64_t *)value == 0;
}

bool question_number(const QuestionField *field, const char *text, double *number, Error *err)
{
    // strtod would also take spaces, signs, "inf" and "0x10".
    bool plain = (isdigit((unsigned char)text[0]) || text[0] == '.') && strpbrk(text, "xX") == NULL;
    char *end = NULL;
    double value = plain ? strtod(text, &end) : NAN;
    value *= end != NULL ? suffix_factor(field->kind, end) : NAN;
    bool whole = field->kind == QUESTION_TOKENS || field->kind == QUESTION_COUNT;
    bool zero = takes_zero(field), unset = zero && value == 0;
    if (!(unset || (value >= field->least && value <= field->most)) ||
        (whole && value != floor(value)))
        return error_set(err, "%s: '%s' is not a %snumber from %g to %g%s%s", field->name, text,
                         whole ? "whole " : "", field->least, field->most,
                         zero && field->least > 0 ? ", or 0" : "",
                         shorter(field, text, (char[48]){0}));
    *number = value;
    return true;
}

static bool unknown(const char *name, Error *err)
{
    const char *names[sizeof question_fields / sizeof *question_fields];
    for (int i = 0; i < question_field_count; i++) names[i] = question_fields[i].name;
    const char *near = nearest(name, names, question_field_count);
    return error_set(err, "'%s' is no setting%s%s%s", name, near ? "; did you mean " : "",
                     near ? near : "", near ? "?" : "");
}

static bool set_field(Question *question, Arena *arena, const QuestionField *field,
                      const char *text, Error *err)
{
    void *value = (char *)question + field->offset;
    double number = 0;
    switch (field->kind) {
    case QUESTION_TOKENS:
    case QUESTION_COUNT:
        if (!question_number(field, text, &number, err)) return false;
        *(uint64_t *)value = (uint64_t)number;
        return true;
    case QUESTION_AMOUNT:
    case QUESTION_REAL: return question_number(field, text, value, err);
    case QUESTION_FLAG:
        if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
            return error_set(err, "%s: '%s' is not yes or no", field->name, text);
        *(bool *)value = text[0] == 'y';
        return true;
    case QUESTION_TEXT:
        if (field->choices != NULL && find_choice(field->choices, text) < 0)
            return error_set(err, "%s: '%s' is not one of %s", field->name, text, field->choices);
        *(const char **)value = arena_print(arena, "%s", text);
        return true;
    }
    return false;
}

bool question_set(Question *question, Arena *arena, const char *name, const char *text, Error *err)
{
    const QuestionField *field = question_field(name);
    if (field == NULL) return unknown(name, err);
    if (!set_field(question, arena, field, text, err)) return false;
    question->given |= (uint64_t)1 << (field - question_fields);
    return true;
}

const char *question_text(const Question *question, Arena *arena, const QuestionField *field)
{
    const void *value = (const char *)question + field->offset;
    switch (field->kind) {
    case QUESTION_TOKENS:
    case QUESTION_COUNT: return arena_print(arena, "%" PRIu64, *(const uint64_t *)value);
    case QUESTION_AMOUNT:
    case QUESTION_REAL: return arena_print(arena, "%.15g", *(const double *)value);
    case QUESTION_FLAG: return *(const bool *)value ? "yes" : "no";
    case QUESTION_TEXT: return *(const char *const *)value;
    }
    return NULL;
}

int question_choice(const Question *question, const char *name)
{
    const QuestionField *field = question_field(name);
    const char *text = *(const char *const *)((const char *)question + field->offset);
    int place = find_choice(field->choices, text);
    REQUIRE(place >= 0, "%s: '%s' is not one of %s", name, text, field->choices);
    return place;
}

bool question_given(const Question *question, const char *name)
{
    return question->given >> (question_field(name) - question_fields) & 1;
}

bool question_settle(Question *question, Arena *arena, Error *err)
{
    GpuSpec *spec = &question->gpu_spec;
    if (question->cards != NULL) {
        static const char *const others[] = {"gpu", "memory", "bandwidth", "tflops"};
        for (size_t i = 0; i < sizeof others / sizeof *others; i++)
            if (question_given(question, others[i]))
                return error_set(err, "cards: they name the GPUs; expected no %s beside them",
                                 others[i]);
        if (!cards_read(arena, question->cards, question->tensor_split, &question->card_list, err))
            return false;
        *spec = question->card_list.specs[0];
        return true;
    }
    if (question->tensor_split != NULL)
        return error_set(err, "tensor_split: expected --cards with as many GPUs");
    if (!gpu_spec_find(arena, question->gpu, spec, err)) return false;
    if (question->memory > 0) {
        spec->vendor_gb = question->memory;
        spec->memory = question->memory * 1e9;
    }
    if (question->bandwidth > 0) spec->bandwidth = question->bandwidth * 1e9;
    if (question->tflops > 0) {
        // The other peaks were the table's GPU's; these are the user's own.
        spec->bf16 = question->tflops * 1e12;
        spec->fp8 = spec->fp4 = spec->int8 = spec->tf32 = spec->fp32 = 0;
    }
    if (question->memory > 0 || question->bandwidth > 0 || question->tflops > 0)
        spec->source = "numbers of your own";
    return true;
}
