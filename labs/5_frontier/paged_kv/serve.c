/* serve.c -- the burst, step by step; then with other sizes, and each request alone. */
#include <string.h>
#include "common/file.h"
#include "common/text.h"
#include "labs/5_frontier/paged_kv/burst.h"

static const char *shown(Arena *arena, const char *text)
{
    char *copy = arena_print(arena, "%s", text);
    for (char *at = copy; *at != '\0'; at++)
        if (*at == '\n') *at = '/';
    text_clean(copy);
    return copy;
}

bool part_serve(void *context, Error *err)
{
    Lab *lab = context;
    Run *run = lab->run;
    Burst burst;
    if (!story_open_model(lab, err)) return false;
    const BurstOptions options = {.blocks = lab->blocks,
                                  .block_size = lab->block_size,
                                  .budget = lab->budget,
                                  .chunk = lab->chunk,
                                  .only = -1,
                                  .records = true,
                                  .shows = lab->animate};
    if (!burst_run(lab, options, &burst, err)) return false;
    const Recorder *r = burst.recorder;
    run_print(run, "Six requests begin with the same words; G is a second sample of A's prompt.");
    run_print(run, "%d blocks of %d tokens; a step computes %d tokens, %d of one prompt.",
              lab->blocks, lab->block_size, lab->budget, lab->chunk);
    run_print(run,
              "A letter is the text that holds a block, a digit the number of those that share "
              "it; - is free and cached, . is free. Steps in which only tokens come are left "
              "out.");
    Table table = table_new(lab->step, "step|blocks, after the step|what happens");
    int step = 0, most = 0;
    for (const Frame *frame = r->first; frame != NULL; frame = frame->next) {
        step++;
        most = frame->scheduled > most ? frame->scheduled : most;
        if (step == 1 || *frame->events != '\0')
            table_row(&table, "%d|%s|%s", step, recorder_map(r, frame), frame->events);
        metrics_write(run->metrics, step, METRICS({"scheduled", frame->scheduled}));
    }
    run_table(run, &table);
    const EngineStatistics *s = &burst.statistics;
    run_print(run,
              "%d steps, at most %d texts at once, %d preemptions; blocks copied on write: %d, "
              "evicted: %d",
              burst.steps, most, (int)s->preemptions, r->copied, r->evicted);
    run_print(run,
              "%d tokens computed for %d of prompts and %d of answers; %d of the prompts' came "
              "from the prefix cache",
              (int)s->computed_tokens, (int)s->prompt_tokens, (int)s->output_tokens,
              (int)s->hit_tokens);
    run_picture(run, recorder_picture(r, lab->step),
                "Blocks by step: colour = holder, black = shared, gray = cached", "blocks");
    const char *path = run_path(run, "replay.html");
    if (!recorder_page(r, path, err)) return false;
    run_print(run, "The steps one by one, in a browser: %s", file_shown(lab->step, path));
    report_file(run->report, "The burst, step by step", path);
    return true;
}

bool part_alone(void *context, Error *err)
{
    Lab *lab = context;
    Burst burst;
    const char *alone[TEXTS];
    if (!story_open_model(lab, err)) return false;
    for (int i = 0; i < TEXTS - 1; i++) {
        const BurstOptions options = {
            .blocks = 128, .block_size = 4, .budget = 512, .chunk = 0, .only = i};
        if (!burst_run(lab, options, &burst, err)) return false;
        alone[i] = burst.texts[i];
        if (i == 0) alone[TEXTS - 1] = burst.texts[TEXTS - 1];
    }
    static const struct {
        int slots, block_size, budget, chunk;
    } settings[] = {{1024, 16, 256, 64}, {1024, 1, 256, 64}, {144, 4, 16, 8},
                    {120, 4, 16, 8},     {110, 5, 7, 3},     {96, 2, 40, 1}};
    bool all_same = true;
    Table table = table_new(lab->step, "slots|block size|budget|chunk|steps|preemptions|tokens "
                                       "computed|as each one alone");
    for (size_t s = 0; s < sizeof settings / sizeof *settings; s++) {
        const BurstOptions o = {.blocks = settings[s].slots / settings[s].block_size,
                                .block_size = settings[s].block_size,
                                .budget = settings[s].budget,
                                .chunk = settings[s].chunk,
                                .only = -1};
        if (!burst_run(lab, o, &burst, err)) return false;
        bool same = true;
        for (int i = 0; i < TEXTS; i++) same = same && strcmp(burst.texts[i], alone[i]) == 0;
        all_same = all_same && same;
        table_row(&table, "%d|%d|%d|%d|%d|%d|%d|%s", settings[s].slots, o.block_size, o.budget,
                  o.chunk, burst.steps, (int)burst.statistics.preemptions,
                  (int)burst.statistics.computed_tokens, same ? "the same" : "different");
    }
    run_table(lab->run, &table);
    run_print(lab->run, "All begin: %s", shown(lab->step, burst.prompt));
    Table texts = table_new(lab->step, "text|it goes on, alone or not");
    for (int i = 0; i < TEXTS; i++)
        table_row(&texts, "%c|%s%s", 'A' + i, burst.own[i], shown(lab->step, alone[i]));
    run_table(lab->run, &texts);
    return all_same || error_set(err, "an answer depends on what else is served: see the table");
}
