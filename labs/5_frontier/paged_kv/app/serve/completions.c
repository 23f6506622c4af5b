/* completions.c -- /v1/completions: prompts that are continued as they are. */
#include "labs/5_frontier/paged_kv/app/serve/api_request.h"

enum { DEFAULT_TOKENS = 16 };    // the OpenAI API's

static bool add_text(ApiRequest *asked, Arena *arena, const Served *served, const char *text,
                     int most, Refusal *refusal)
{
    Error err;
    TokenIds *ids = api_request_add_prompt(asked, arena, most);
    if (!tokenizer_encode(served->tokenizer, text, strlen(text),
                          (EncodeOptions){.add_special = true}, ids, &err))
        return refuse_with(refusal, 400, "prompt", NULL, &err);
    if (ids->count == 0 && served->bos >= 0) ids_add(ids, served->bos);
    return true;
}

static bool add_ids(ApiRequest *asked, Arena *arena, const Served *served, const cJSON *list,
                    int most, Refusal *refusal)
{
    TokenIds *ids = api_request_add_prompt(asked, arena, most);
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        const double id = cJSON_IsNumber(item) ? item->valuedouble : -1;
        if (!(id >= 0 && id < served->vocabulary) || id != (int)id)
            return refuse(refusal, 400, "prompt", "prompt: expected token ids from 0 to %d",
                          served->vocabulary - 1);
        ids_add(ids, (int)id);
    }
    return true;
}

// A text, token ids, or a list of either.
static bool read_prompts(ApiRequest *asked, Arena *arena, const Served *served, const Fields *f)
{
    const cJSON *prompt = field(f, "prompt"), *item;
    if (prompt == NULL) return refuse(f->refusal, 400, "prompt", "prompt: is missing");
    if (cJSON_IsString(prompt))
        return add_text(asked, arena, served, prompt->valuestring, 1, f->refusal);
    if (!cJSON_IsArray(prompt) || prompt->child == NULL)
        return field_refuse(f, "prompt", "a text, token ids, or several of either");
    if (cJSON_IsNumber(prompt->child)) return add_ids(asked, arena, served, prompt, 1, f->refusal);
    const int count = cJSON_GetArraySize(prompt);
    if ((int64_t)count * asked->request.choices > served->sequences)
        return refuse(f->refusal, 400, "prompt",
                      "prompt: %d prompts, each %d times, expected at most %d", count,
                      asked->request.choices, served->sequences);
    cJSON_ArrayForEach(item, prompt)
    {
        if (cJSON_IsString(item)
                ? !add_text(asked, arena, served, item->valuestring, count, f->refusal)
                : !cJSON_IsArray(item) || !add_ids(asked, arena, served, item, count, f->refusal))
            return f->refusal->status != 0 ||
                   refuse(f->refusal, 400, "prompt", "prompt: holds neither texts nor token ids");
    }
    return true;
}

bool completions_read(ApiRequest *asked, Arena *arena, const Served *served, const Fields *f)
{
    if (asked->request.max_tokens == 0) asked->request.max_tokens = DEFAULT_TOKENS;
    return field_int(f, "logprobs", 0, LIKELIEST_MAX, &asked->request.sampling.log_probabilities) &&
           read_prompts(asked, arena, served, f);
}
