#include "labs/5_frontier/paged_kv/app/engine_parts.h"
#include <string.h>

static const char NO_MEMORY[] = "no memory for another beam";

// NULL: no memory.
static Choice *begin_beam(Engine *e, Group *group, int index, const int32_t *prompt)
{
    Choice *choice = engine_add_choice(e, group, index, prompt);
    if (choice != NULL && index < group->request.choices) group->begun++;
    return choice;
}

static void finish_all(Engine *e, const Group *group, FinishReason why, const char *error)
{
    for (int i = 0; i < e->count; i++)
        if (e->choices[i]->group == group) engine_finish(e, e->choices[i], why, error);
}

void beams_offer(Engine *e, const Scheduled *entry, const float *logits)
{
    const Choice *choice = entry->sequence->owner;
    Group *group = choice->group;
    Error err;
    if (choice->finish != FINISH_NONE) return;
    if (sampler_likeliest(e->sampler, logits, beam_search_candidates(group->search),
                          beam_search_offer(group->search, choice->index), &err))
        scheduler_done(e->scheduler, entry, NULL, 0);
    else finish_all(e, group, FINISH_ERROR, err.message);
}

// ---- the end ----

static void send_text(Engine *e, Choice *choice, const BeamText *text)
{
    choice->score = text->score;
    for (int i = 0; i < text->count && choice->finish == FINISH_NONE; i++) {
        const Sampled sampled = {.token = text->tokens[i],
                                 .log_probability = text->log_probabilities[i]};
        EngineEvent event = {.sampled = &sampled};
        if (choice->output != NULL)
            event.text = output_step(choice->output, sampled.token, &event.bytes);
        e->statistics.output_tokens++;
        choice_send(choice, event);
    }
    engine_finish(e, choice, text->stopped ? FINISH_STOP : FINISH_LENGTH, NULL);
}

static void send_texts(Engine *e, Group *group, const int32_t *prompt)
{
    const int choices = group->request.choices;
    // A first step may be the last one.
    bool good = true;
    while (good && group->begun < choices)
        good = begin_beam(e, group, group->begun, prompt) != NULL;
    if (!good) {
        finish_all(e, group, FINISH_ERROR, NO_MEMORY);
        return;
    }
    for (int i = 0; i < e->count; i++) {
        Choice *choice = e->choices[i];
        if (choice->group != group || choice->finish != FINISH_NONE) continue;
        if (choice->index < choices)
            send_text(e, choice, beam_search_text(group->search, choice->index));
        else engine_finish(e, choice, FINISH_STOP, NULL);
    }
}

// ---- a step of a group ----

static Choice *find_beam(const Engine *e, const Group *group, int index)
{
    for (int i = 0; i < e->count; i++)
        if (e->choices[i]->group == group && e->choices[i]->index == index) return e->choices[i];
    return NULL;
}

// Beam `to` takes the tokens of beam `from`, and shares its blocks. False: no memory.
static bool fork_beam(Engine *e, Group *group, int from, int to)
{
    const Sequence *parent = find_beam(e, group, from)->sequence;
    Choice *choice = find_beam(e, group, to);
    if (choice == NULL) choice = begin_beam(e, group, to, parent->tokens);
    if (choice == NULL) return false;
    Sequence *child = choice->sequence;
    child->count = parent->count;
    memcpy(child->tokens, parent->tokens, (size_t)parent->count * sizeof *child->tokens);
    return true;
}

static void step_group(Engine *e, Group *group)
{
    BeamMove moves[BEAMS_MAX];
    const int count = beam_search_step(group->search, moves);
    if (count == 0) {
        send_texts(e, group, find_beam(e, group, 0)->sequence->tokens);
        return;
    }
    bool good = true;
    for (int i = 0; i < count && good; i++)
        if (moves[i].to != moves[i].from) good = fork_beam(e, group, moves[i].from, moves[i].to);
    for (int i = 0; i < count && good; i++) {
        Sequence *child = find_beam(e, group, moves[i].to)->sequence;
        child->tokens[child->count++] = moves[i].token;
        if (moves[i].to != moves[i].from)
            good =
                scheduler_fork(e->scheduler, find_beam(e, group, moves[i].from)->sequence, child);
    }
    if (!good) finish_all(e, group, FINISH_ERROR, NO_MEMORY);
}

void beams_step(Engine *e)
{
    // A first step adds its group's other beams behind.
    for (int i = 0; i < e->count; i++) {
        const Choice *choice = e->choices[i];
        BeamSearch *search = choice->group->search;
        if (search != NULL && choice->index == 0 && choice->finish == FINISH_NONE &&
            beam_search_ready(search))
            step_group(e, choice->group);
    }
}
