/* api_request.h -- what a request's body asks for, checked and as token ids: /v1/completions and /v1/chat/completions.
 *
 *     ApiRequest asked;
 *     if (!api_request_read(&asked, API_CHAT, arena, &served, body, bytes, &refusal)) ...
 *     // asked.prompts[0 .. asked.prompt_count), each to be continued asked.request.choices times
 *     api_request_free(&asked);
 *
 * A field of the OpenAI API that cannot be served as it says is refused by its name, and so is one that is
 * unknown; what changes nothing (user, metadata, ...) is accepted. Beyond that API, as in vLLM: top_k, min_p,
 * repetition_penalty, ignore_eos, priority, cache_salt, chat_template_kwargs.enable_thinking; prompts of token ids;
 * response_format for completions, too.
 */
#pragma once
#include "common/arena.h"
#include "labs/5_frontier/paged_kv/app/chat/calls.h"
#include "labs/5_frontier/paged_kv/app/request.h"
#include "labs/5_frontier/paged_kv/app/serve/fields.h"

typedef enum Api { API_COMPLETIONS = 1, API_CHAT = 2 } Api;    // a FieldRule's mask

// The model that is served.
typedef struct Served {
    const char *name;
    const Tokenizer *tokenizer;
    const ChatTemplate *template;    // NULL, and why
    const char *no_template;
    int32_t end;    // ends a turn of the template, and so a text; -1: none
    int vocabulary, context, bos;
    int sequences;    // at once: choices that a request may have
} Served;

typedef struct ApiRequest {
    Api api;
    bool stream, include_usage;
    TokenIds *prompts;    // [prompt_count]; the ids are malloc
    int prompt_count;
    Request request;       // but for prompt, constraint and on_event
    const char *salt;      // NULL: blocks of the prefix cache are shared with all who have none
    const char *schema;    // JSON schema of the texts, or NULL
    Grammar *grammar;      // of it; whoever takes it sets it to NULL
    bool has_tools;        // calls are looked for in the texts
    bool must_call;        // a text is one call, by the schema
} ApiRequest;

// What the body does not bring along is in the arena. False: nothing is to be freed.
bool api_request_read(ApiRequest *asked, Api api, Arena *arena, const Served *served,
                      const char *body, size_t bytes, Refusal *refusal);
void api_request_free(ApiRequest *asked);

// ---- the two kinds: prompts, and what only they have ----

bool completions_read(ApiRequest *asked, Arena *arena, const Served *served, const Fields *body);
bool chat_completions_read(ApiRequest *asked, Arena *arena, const Served *served,
                           const Fields *body);

TokenIds *api_request_add_prompt(ApiRequest *asked, Arena *arena,
                                 int most);    // within what is reserved by the first
