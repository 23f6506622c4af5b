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
Group *group_new(const Request *r, int id, const ModelConfig *c)
{
    const int own = r->ignore_stop_tokens ? 0 : c->stop_count,
              more = r->ignore_stop_tokens ? 0 : r->stop_token_count;
    const size_t pointers = (size_t)r->stop_string_count * sizeof *r->stop_strings,
                 biases = (size_t)r->sampling.bias_count * sizeof *r->sampling.bias,
                 ends = (size_t)(own + more) * sizeof *r->stop_tokens;
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
    mine->stop_token_count = own + more;
    mine->stop_tokens = copied(&at, c->stops, (size_t)own * sizeof *c->stops);
    copied(&at, r->stop_tokens, (size_t)more * sizeof *r->stop_tokens);
    for (int i = 0; i < r->stop_string_count; i++)
        stops[i] = copied(&at, r->stop_strings[i], strlen(r->stop_strings[i]) + 1);
    mine->prompt = NULL;
    if (mine->max_tokens == 0) mine->max_tokens = c->context - r->prompt_count;
    if (mine->choices == 0) mine->choices = 1;
    group->begun = 1;
    if (mine->beams.beams < 2) return group;
    group->search =
        beam_search_new(mine->beams, mine->max_tokens, mine->stop_tokens, mine->stop_token_count);
    if (group->search != NULL) return group;
    group_free(group);
    return NULL;
}

void group_free(Group *group)
{
    if (group == NULL) return;
    beam_search_free(group->search);
    free(group->memory);
    free(group);
}

// ---- choices ----

Choice *choice_new(Group *group, int index, const int32_t *prompt, int block_size,
                   const Tokenizer *tokenizer)
{
    const Request *r = &group->request;
    const int last = prompt[r->prompt_count - 1];
    Choice *choice = calloc(1, sizeof *choice);
    Sequence *s = sequence_new(group->id, prompt, r->prompt_count, r->prompt_count + r->max_tokens,
                               block_size);
    Output *output = NULL;
    if (tokenizer != NULL)    // behind BOS a text begins
        output = output_open(tokenizer, r->stop_strings, r->stop_string_count,
                             (OutputOptions){.continues = !tokenizer_is_special(tokenizer, last)});
    if (choice == NULL || s == NULL || (tokenizer != NULL && output == NULL)) {
        output_close(output);
        sequence_free(s);
        free(choice);
        return NULL;
    }
    s->priority = r->priority;
    s->domain = r->domain;
    s->owner = choice;
    *choice = (Choice){.group = group, .index = index, .sequence = s, .output = output};
    if (r->constraint != NULL) choice->state = constraint_begin(r->constraint);
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
    // There may be more beams than choices.
    if (r->on_event != NULL && choice->index < r->choices) r->on_event(r->context, &event);
}
