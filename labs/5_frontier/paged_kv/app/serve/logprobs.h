/* logprobs.h -- the log-probabilities of an answer's tokens as JSON, in the form of either API.
 *
 *     logprobs_add(&list, API_CHAT, tokenizer, sampled);
 *     logprobs_write(&out, API_CHAT, &list);    // {"content":[{"token":" a","logprob":-0.5,...}]}
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/serve/api_request.h"

typedef struct Logprobs {
    Bytes content;                                // of chat: a list
    Bytes tokens, numbers, likeliest, offsets;    // of completions: lists side by side
    int count;
    int64_t characters;    // of all tokens so far
} Logprobs;

void logprobs_add(Logprobs *list, Api api, const Tokenizer *tokenizer, const Sampled *sampled);
void logprobs_write(Bytes *out, Api api, const Logprobs *list);    // null where there are none
void logprobs_clear(Logprobs *list);                               // for what comes next
void logprobs_free(Logprobs *list);
