/* Any bytes as a learner's file, and as a reference; what is found must lie where it is said to. */
#include "labs/driver/source.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static Exercise exercises[] = {{.id = "one", .function = "one"}, {.id = "two", .function = "two"}};
static const Lab lab = {.id = "tiny", .folder = "/", .exercises = exercises, .exercise_count = 2};

static void expect(int holds)
{
    if (!holds) abort();
}

static int lines_of(const char *text)
{
    int lines = 0;
    for (; *text != '\0'; text++) lines += *text == '\n';
    return lines;
}

static void expect_function(Arena *arena, const Source *source, int exercise)
{
    const Function *function = &source->functions[exercise];
    int lines = lines_of(source->text);
    if (function->first_line == 0) {
        expect(function->text == NULL && source_replace(arena, source, exercise, "x\n") == NULL);
        return;
    }
    expect(function->first_line <= function->last_line && function->last_line <= lines + 1);
    expect(lines_of(function->text) == function->last_line - function->first_line + 1);
    expect(strstr(function->text, exercises[exercise].function) != NULL);
    expect(source_exercise_at(&lab, source, function->last_line) >= 0);
    const char *same = source_replace(arena, source, exercise, function->text);
    if (strchr(source->text, '\r') == NULL)
        expect(strncmp(same, source->text, strlen(source->text)) == 0);
    // The last line may not have had its newline.
    int blank = lines_of(source_blank(arena, &lab, source, exercise)) - lines;
    int drop = lines_of(source_drop(arena, source, exercise)) - lines;
    expect((blank == 0 || blank == 1) && (drop == 0 || drop == 1));
}

static void expect_reference(Arena *arena, const Source *reference)
{
    const char *blank = source_skeleton(arena, &lab, reference, 0);
    Source skeleton;
    expect(strstr(blank, "LAB_TODO(one);") != NULL && strstr(blank, "LAB_TODO(two);") != NULL);
    expect(strlen(source_skeleton(arena, &lab, reference, 2)) < strlen(reference->text));
    source_parse(arena, &lab, "skeleton.c", blank, &skeleton);
    for (int i = 0; i < 2; i++) source_secrets(arena, &lab, reference, i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Arena *arena = arena_new("fuzz", 4u << 20);
    char *text = arena_alloc(arena, size + 1);
    Source source;
    Error err;
    if (size > 0) memcpy(text, data, size);
    text[size] = '\0';
    source_parse(arena, &lab, "fuzz.c", text, &source);
    for (int i = 0; i < 2; i++) expect_function(arena, &source, i);
    if (source_check_marks(&lab, &source, &err)) expect_reference(arena, &source);
    arena_free(arena);
    return 0;
}
