#include "labs/driver/choose.h"
#include "labs/driver/mine.h"
#include "common/nearest.h"
#include <stdio.h>
#include <string.h>

enum { LONGEST = 128 };

// The name that is `word`, or the only one that begins with it; else -1. *starts is the number of names
// that begin with it.
static int match(const char *word, const char *const *names, int count, int *starts)
{
    int chosen = -1;
    *starts = 0;
    for (int i = 0; i < count; i++) {
        if (strcmp(names[i], word) == 0) return i;
        if (strncmp(names[i], word, strlen(word)) != 0) continue;
        chosen = i;
        ++*starts;
    }
    return *starts == 1 ? chosen : -1;
}

// The lab that has an exercise of this name, for a user who left the lab out.
static const Lab *lab_of_exercise(const Course *course, const char *word)
{
    for (int i = 0; i < course->lab_count; i++)
        for (int j = 0; j < course->labs[i].exercise_count; j++)
            if (strcmp(course->labs[i].exercises[j].id, word) == 0) return &course->labs[i];
    return NULL;
}

// NULL after a message. A damaged lab can be named too: the message says what is wrong with it.
static const Lab *choose_lab(const Course *course, const char *word)
{
    Arena *arena = arena_new("names", 1u << 20);
    int sound = course->lab_count, count = sound + course->damaged_count;
    const char **names = arena_alloc(arena, (size_t)count * sizeof *names + 1);
    for (int i = 0; i < sound; i++) names[i] = course->labs[i].id;
    for (int i = sound; i < count; i++) names[i] = course->damaged[i - sound].id;
    int starts, at = match(word, names, count, &starts);
    const char *near = nearest(word, names, count);
    const Lab *of = lab_of_exercise(course, word);
    arena_free(arena);
    if (at >= 0 && at < sound) return &course->labs[at];
    if (at >= sound) error_print("%s", course->damaged[at - sound].message);
    else if (starts > 1)
        error_print("%d labs begin with '%s'; ./lab list shows them", starts, word);
    else if (of != NULL) error_print("no lab '%s'; did you mean '%s.%s'?", word, of->id, word);
    else if (near != NULL) error_print("no lab '%s'; did you mean '%s'?", word, near);
    else error_print("no lab '%s'; ./lab list shows them", word);
    return NULL;
}

static int choose_exercise(const Lab *lab, const char *word)
{
    Arena *arena = arena_new("names", 1u << 20);
    const char **names = arena_alloc(arena, (size_t)lab->exercise_count * sizeof *names);
    for (int i = 0; i < lab->exercise_count; i++) names[i] = lab->exercises[i].id;
    int starts, at = match(word, names, lab->exercise_count, &starts);
    const char *near = nearest(word, names, lab->exercise_count);
    arena_free(arena);
    if (at >= 0) return at;
    if (starts > 1)
        error_print("%d exercises of %s begin with '%s'; ./lab list %s shows them", starts, lab->id,
                    word, lab->id);
    else if (near != NULL)
        error_print("%s has no exercise '%s'; did you mean '%s.%s'?", lab->id, word, lab->id, near);
    else error_print("%s has no exercise '%s'; ./lab list %s shows them", lab->id, word, lab->id);
    return -1;
}

static const Lab *find_lab(const Course *course, const char *id)
{
    for (int i = 0; i < course->lab_count; i++)
        if (strcmp(course->labs[i].id, id) == 0) return &course->labs[i];
    return NULL;
}

const Lab *choose_current(const Course *course, const Progress *progress)
{
    Arena *arena = arena_new("current", 1u << 20);
    const Lab *lab = NULL;
    for (int i = progress->count - 1; i >= 0 && lab == NULL; i--) {
        lab = find_lab(course, progress->lines[i].lab);
        if (lab != NULL && !mine_exists(arena, lab)) lab = NULL;
    }
    for (int i = 0; i < course->lab_count && lab == NULL; i++)
        if (mine_exists(arena, &course->labs[i])) lab = &course->labs[i];
    arena_free(arena);
    return lab;
}

bool choose(const Course *course, const Progress *progress, const char *word, Choice *choice)
{
    *choice = (Choice){.exercise = -1};
    if (word == NULL) {
        choice->lab = choose_current(course, progress);
        if (choice->lab != NULL) return true;
        error_print("no lab is started yet: ./lab list shows the labs, ./lab start LAB starts one");
        return false;
    }
    char lab[LONGEST];
    const char *dot = strchr(word, '.');
    snprintf(lab, sizeof lab, "%.*s", (int)(dot != NULL ? (size_t)(dot - word) : strlen(word)),
             word);
    choice->lab = choose_lab(course, lab);
    if (choice->lab == NULL || dot == NULL) return choice->lab != NULL;
    choice->exercise = choose_exercise(choice->lab, dot + 1);
    return choice->exercise >= 0;
}

int choose_next(const Lab *lab, const Progress *progress)
{
    for (int i = 0; i < lab->exercise_count; i++)
        if (progress_state(progress, lab->id, lab->exercises[i].id) != EXERCISE_DONE) return i;
    return -1;
}
