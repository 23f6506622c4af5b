#include "labs/3_language/tokenizer/app/text/normalize.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "labs/3_language/tokenizer/app/text/code_point.h"

static void step_close(NormalStep *step)
{
    free(step->what);
    free(step->with);
    regex_close(step->regex);
}

bool normalizer_add(Normalizer *normalizer, NormalStep step, Error *err)
{
    bool needs = step.kind == NORMAL_FORM || step.kind == NORMAL_LOWERCASE;
    if (step.kind == NORMAL_LOWERCASE) step.form = "lowercase";
    if (normalizer->count == NORMAL_MAX_STEPS)
        error_set(err, "there are more than %d normalizers", NORMAL_MAX_STEPS);
    else if (!needs || form_find(step.form, err) != NULL) {
        normalizer->steps[normalizer->count++] = step;
        return true;
    }
    step_close(&step);
    return false;
}

void normalizer_close(Normalizer *normalizer)
{
    for (int i = 0; i < normalizer->count; i++) step_close(&normalizer->steps[i]);
    *normalizer = (Normalizer){0};
}

// Texts that grow in each of several steps would take all memory.
static bool fits(size_t bytes, Error *err)
{
    return bytes <= INT_MAX / 4 ||
           error_set(err, "the normalizer makes a text of more than %d bytes", INT_MAX / 4);
}

static bool replace_literal(Bytes *out, const NormalStep *step, const uint8_t *text, size_t bytes,
                            Error *err)
{
    size_t length = strlen(step->what), done = 0;
    const uint8_t *found;
    while (length > 0 && (found = memmem(text + done, bytes - done, step->what, length)) != NULL) {
        bytes_add(out, text + done, (size_t)(found - text) - done);
        bytes_add(out, step->with, strlen(step->with));
        if (!fits(out->count, err)) return false;
        done = (size_t)(found - text) + length;
    }
    bytes_add(out, text + done, bytes - done);
    return true;
}

static bool replace_regex(Bytes *out, const NormalStep *step, const uint8_t *text, size_t bytes,
                          Error *err)
{
    size_t done = 0, at = 0, first, last;
    while (at <= bytes) {
        RegexResult result = regex_find(step->regex, text, at, bytes, &first, &last, err);
        if (result == REGEX_FAILED) return false;
        if (result == REGEX_NONE) break;
        bytes_add(out, text + done, first - done);
        bytes_add(out, step->with, strlen(step->with));
        if (!fits(out->count, err)) return false;
        done = at = last;
        if (first == last) {
            size_t length = 1;
            if (at < bytes) code_point_at(text + at, bytes - at, &length);
            at += length;
        }
    }
    bytes_add(out, text + done, bytes - done);
    return true;
}

static void strip(Bytes *out, const NormalStep *step, const uint8_t *text, size_t bytes)
{
    const uint8_t *classes = code_point_classes();
    size_t start = 0, end = bytes, length;
    while (step->left && start < end &&
           classes[code_point_at(text + start, end - start, &length)] & CODE_SPACE)
        start += length;
    while (step->right && end > start &&
           classes[code_point_before(text, end, &length)] & CODE_SPACE)
        end -= length;
    bytes_add(out, text + start, end - start);
}

static bool is_ascii(const uint8_t *text, size_t bytes)
{
    uint8_t all = 0;
    for (size_t i = 0; i < bytes; i++) all |= text[i];
    return all < 0x80;
}

bool normalizer_run(const Normalizer *normalizer, const uint8_t *text, size_t *bytes, Bytes *held,
                    const uint8_t **result, Error *err)
{
    *result = text;
    for (int i = 0; i < normalizer->count; i++) {
        const NormalStep *step = &normalizer->steps[i];
        if (*bytes == 0) return true;
        if (step->kind == NORMAL_FORM && is_ascii(*result, *bytes)) continue;
        Bytes out = {0};
        bytes_reserve(&out, *bytes);
        if (step->kind == NORMAL_PREPEND) {
            bytes_add(&out, step->with, strlen(step->with));
            bytes_add(&out, *result, *bytes);
        } else if (step->kind == NORMAL_REPLACE) {
            if (!(step->regex ? replace_regex : replace_literal)(&out, step, *result, *bytes,
                                                                 err)) {
                free(out.data);
                return false;
            }
        } else if (step->kind == NORMAL_STRIP) strip(&out, step, *result, *bytes);
        else form_find(step->form, err)(&out, *result, *bytes);
        free(held->data);
        *held = out;
        *result = out.data;
        *bytes = out.count;
    }
    return true;
}
