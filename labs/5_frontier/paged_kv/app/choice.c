#include "labs/5_frontier/paged_kv/app/choice.h"
#include <stdlib.h>
#include <string.h>

// ---- groups ----

static void *copied(char **to, const void *from, size_t bytes)
{
    void *copy = *to;
    if (bytes > 0) memcpy(copy, from, bytes);
    *to += bytes;
    return copy;
}

// In one piece: its arrays, the larger numbers first, then the strings.
Group *group_new(const Request *r, int id, int context)
{
    const size_t pointers = (size_t)r->stop_string_count * sizeof *r->stop_strings,
                 biases = (size_t)r->sampling.bias_count * sizeof *r->sampling.bias,
                 ends = (size_t)r->stop_token_count * sizeof *r->stop_tokens;
    size_t bytes = pointers + biases + ends;
    for (int i = 0; i < r->stop_string_count; i++) bytes += strlen(r->stop_strings[i]) + 1;
    Group *group = calloc(1, sizeof *group);
    char *at = malloc(bytes + 1);
    if (group == NULL || at == NULL) {
        free(group);
        free(at);
        return NULL;
    }
    *group = (Group){.request = *r, .id = id, .memory = at};
    Request *mine = &group->request;
    const char **stops = copied(&at, r->stop_strings, pointers);
    mine->stop_strings = stops;
    mine->sampling.bias = copied(&at, r->sampling.bias, biases);
    mine->stop_tokens = copied(&at, r->stop_tokens, ends);
    for (int i = 0; i < r->stop_string_count; i++)
        stops[i] = copied(&at, r->stop_strings[i], strlen(r->stop_strings[i]) + 1);
    mine->prompt = NULL;
    if (mine->max_tokens == 0) mine->max_tokens = context - r->prompt_count;
    if (mine->choices == 0) mine->choices = 1;
    group->forked = mine->choices == 1;
    return group;
}

void group_free(Group *group)
{
    if (group == NULL) return;
    free(group->memory);
    free(group);
}

// ---- choices ----

Choice *choice_new(Group *group, int index, const int32_t *prompt, int block_size,
                   const Tokenizer *tokenizer)
{
    const Request *r = &group->request;
    Choice *choice = calloc(1, sizeof *choice);
    if (choice == NULL) return NULL;
    Sequence *s = sequence_new(group->id, prompt, r->prompt_count, r->prompt_count + r->max_tokens,
                               block_size);
    if (s == NULL) {
        free(choice);
        return NULL;
    }
    s->priority = r->priority;
    s->domain = r->domain;
    s->owner = choice;
    *choice = (Choice){.group = group, .index = index, .sequence = s};
    if (r->constraint != NULL) choice->state = constraint_begin(r->constraint);
    if (tokenizer != NULL)
        choice->output = output_open(tokenizer, r->stop_strings, r->stop_string_count, false);
    group->live++;
    return choice;
}

void choice_free(Choice *choice)
{
    if (choice == NULL) return;
    sequence_free(choice->sequence);
    output_close(choice->output);
    if (--choice->group->live == 0) group_free(choice->group);
    free(choice);
}

void choice_send(const Choice *choice, EngineEvent event)
{
    const Request *r = &choice->group->request;
    event.id = choice->group->id;
    event.choice = choice->index;
    if (choice->sequence != NULL) event.cached = choice->sequence->hits;
    if (event.text == NULL) event.text = "";
    if (r->on_event != NULL) r->on_event(r->context, &event);
}
