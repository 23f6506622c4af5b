#include "common/story.h"
#include "common/console.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// "all|products|hilbert|...": each name once.
static const char *choices(Arena *keep, const Story *story)
{
    const char *list = "all";
    for (int p = 0; p < story->count; p++) {
        const Part *part = &story->parts[p];
        bool listed = part->name == NULL || part->unlisted;
        for (int q = 0; q < p && !listed; q++)
            listed = story->parts[q].name != NULL && strcmp(story->parts[q].name, part->name) == 0;
        if (!listed) list = arena_print(keep, "%s|%s", list, part->name);
    }
    return list;
}

Run *story_begin(Story *story, Arena *keep, Options *options, int argc, char **argv, int *status)
{
    story->chosen = "all";
    options_choices(options, "part", 0, &story->chosen, choices(keep, story), "the parts to run");
    story->options = options;
    story->run = run_begin(keep, options, argc, argv, status);
    if (story->run == NULL) return NULL;
    report_lesson(story->run->report, story->lesson);
    if (story->run->resume == NULL || story->checkpoint != NULL) return story->run;
    Error err;
    error_set(&err, "--resume: this lab has no checkpoint to go on from");
    *status = run_fail(story->run, &err);
    return NULL;
}

static bool is_chosen(const Story *story, const Part *part)
{
    if (part->name == NULL) return true;
    if (options_chosen(story->chosen, part->name)) return true;
    return !part->unlisted && options_chosen(story->chosen, "all");
}

bool story_has(const Story *story, const char *name)
{
    for (int p = 0; p < story->count; p++)
        if (story->parts[p].name != NULL && strcmp(story->parts[p].name, name) == 0)
            return is_chosen(story, &story->parts[p]);
    REQUIRE(false, "there is no part '%s'", name);
    return false;
}

void story_only(Story *story, const char *name)
{
    story->chosen = name;
}

static bool has_notice(const Part *part, int n)
{
    return n < PART_NOTICES && part->notices[n].subject != NULL;
}

static bool run_part(const Story *story, const Part *part, void *lab, Error *err)
{
    if (part->title != NULL) run_heading(story->run, part->title);
    if (!part->run(lab, err)) return false;
    for (int n = 0; has_notice(part, n); n++)
        report_notice(story->run->report, part->notices[n].subject, part->notices[n].text);
    if (story->step != NULL) arena_reset(story->step);
    return true;
}

// The subjects in a column, the sentences beside them.
static void print_notices(const Story *story)
{
    Console console = console_begin();
    size_t width = 0;
    for (int p = 0; p < story->count; p++)
        for (int n = 0; is_chosen(story, &story->parts[p]) && has_notice(&story->parts[p], n);
             n++) {
            size_t length = strlen(story->parts[p].notices[n].subject);
            if (length > width) width = length;
        }
    if (width == 0) return;
    printf("\nTo notice\n");
    for (int p = 0; p < story->count; p++)
        for (int n = 0; is_chosen(story, &story->parts[p]) && has_notice(&story->parts[p], n);
             n++) {
            const Notice *notice = &story->parts[p].notices[n];
            console_item(&console, 2, (int)width + 2, notice->subject, notice->text);
        }
}

// ./lab open knows the folders that ./lab run uses by itself.
static void print_page(const Story *story)
{
    const Run *run = story->run;
    if (getenv("LAB_COMMAND") == NULL || options_given(story->options, "out"))
        printf("%s shows this run as a page.\n", run_path(run, "report.html"));
    else
        printf("./lab open %s%s shows this run as a page.\n", run->name,
               getenv("LAB_CHECK") != NULL ? " --mine" : "");
}

int story_run(const Story *story, void *lab)
{
    Run *run = story->run;
    Error err = {""};
    for (int p = 0; p < story->count && !run_interrupted(run); p++)
        if (is_chosen(story, &story->parts[p]) && !run_part(story, &story->parts[p], lab, &err) &&
            !run_interrupted(run))
            return run_fail(run, &err);
    if (!run_interrupted(run)) {
        print_notices(story);
        printf("%s is the lesson, with what to try next.\n", story->lesson);
        print_page(story);
    }
    return run_end(run, story->checkpoint);
}
