#include "labs/5_frontier/paged_kv/app/serve/api_request.h"
#include <math.h>
#include <stdlib.h>
#include <sys/random.h>
#include "labs/5_frontier/paged_kv/app/sampling/json_schema.h"

enum { STOPS_MOST = 16, STOP_BYTES_MAX = 1024 };

// ---- fields ----

enum { BOTH = API_COMPLETIONS | API_CHAT };

// The OpenAI API's, and what clients and routers of vLLM and SGLang send along.
// clang-format off
static const FieldRule rules[] = {
    {"add_generation_prompt", API_CHAT, "true"},
    {"best_of", API_COMPLETIONS, "1"},
    {"cache_salt", BOTH, NULL},
    {"chat_template_kwargs", API_CHAT, NULL},
    {"continue_final_message", API_CHAT, "false"},
    {"echo", API_COMPLETIONS, "false"},
    {"frequency_penalty", BOTH, NULL},
    {"ignore_eos", BOTH, NULL},
    {"include_reasoning", API_CHAT, NULL},
    {"include_stop_str_in_output", BOTH, "false"},
    {"logit_bias", BOTH, NULL},
    {"logprobs", BOTH, NULL},
    {"max_completion_tokens", API_CHAT, NULL},
    {"max_tokens", BOTH, NULL},
    {"messages", API_CHAT, NULL},
    {"metadata", BOTH, NULL},
    {"min_p", BOTH, NULL},
    {"min_tokens", BOTH, "0"},
    {"modalities", API_CHAT, "[\"text\"]"},
    {"model", BOTH, NULL},
    {"n", BOTH, NULL},
    {"no_stop_trim", BOTH, "false"},
    {"parallel_tool_calls", API_CHAT, NULL},
    {"prediction", API_CHAT, NULL},
    {"presence_penalty", BOTH, NULL},
    {"priority", BOTH, NULL},
    {"prompt", API_COMPLETIONS, NULL},
    {"prompt_cache_key", BOTH, NULL},
    {"repetition_penalty", BOTH, NULL},
    {"response_format", BOTH, NULL},
    {"return_hidden_states", BOTH, "false"},
    {"safety_identifier", BOTH, NULL},
    {"seed", BOTH, NULL},
    {"separate_reasoning", API_CHAT, NULL},
    {"service_tier", BOTH, NULL},
    {"skip_special_tokens", BOTH, "true"},
    {"stop", BOTH, NULL},
    {"store", BOTH, "false"},
    {"stream", BOTH, NULL},
    {"stream_options", BOTH, NULL},
    {"stream_reasoning", API_CHAT, NULL},
    {"suffix", API_COMPLETIONS, "\"\""},
    {"temperature", BOTH, NULL},
    {"tool_choice", API_CHAT, NULL},
    {"tools", API_CHAT, NULL},
    {"top_k", BOTH, NULL},
    {"top_logprobs", API_CHAT, NULL},
    {"top_p", BOTH, NULL},
    {"use_beam_search", BOTH, "false"},
    {"user", BOTH, NULL},
};
// clang-format on

static bool read_model(const Served *served, const Fields *f)
{
    const char *model = served->name;
    if (!field_text(f, "model", &model)) return false;
    if (strcmp(model, served->name) == 0) return true;
    refuse(f->refusal, 404, "model", "model: \"%.80s\" is not served here, but \"%.80s\" is", model,
           served->name);
    f->refusal->code = "model_not_found";
    return false;
}

static bool read_stream(ApiRequest *asked, const Fields *f)
{
    static const FieldRule options[] = {{"include_usage", 1, NULL},
                                        {"include_obfuscation", 1, "false"},
                                        {"continuous_usage_stats", 1, "false"}};
    Fields inner = {.within = "stream_options.", .refusal = f->refusal};
    if (!field_flag(f, "stream", &asked->stream) ||
        !field_object(f, "stream_options", &inner.object))
        return false;
    return inner.object == NULL || (fields_check(&inner, options, 3, 1) &&
                                    field_flag(&inner, "include_usage", &asked->include_usage));
}

static bool read_stops(Request *r, Arena *arena, const Fields *f)
{
    const cJSON *item = field(f, "stop"), *one;
    if (item == NULL) return true;
    const bool list = cJSON_IsArray(item);
    const int count = list ? cJSON_GetArraySize(item) : 1;
    if ((!list && !cJSON_IsString(item)) || count > STOPS_MOST)
        return field_refuse(f, "stop", "a text or a list of at most 16");
    const char **stops = arena_zeros(arena, ((size_t)count + 1) * sizeof *stops);
    if (!list) stops[r->stop_string_count++] = item->valuestring;
    else cJSON_ArrayForEach(one, item) stops[r->stop_string_count++] = cJSON_GetStringValue(one);
    for (int i = 0; i < count; i++)
        if (stops[i] == NULL || stops[i][0] == '\0' || strlen(stops[i]) > STOP_BYTES_MAX)
            return refuse(f->refusal, 400, "stop", "stop: number %d is not a text of 1 to %d bytes",
                          i, STOP_BYTES_MAX);
    r->stop_strings = stops;
    return true;
}

// {"42": -100}: ids as texts, which is how JSON has them.
static bool read_bias(SamplerOptions *s, Arena *arena, const Fields *f, int vocabulary)
{
    const cJSON *object = NULL, *item;
    if (!field_object(f, "logit_bias", &object) || object == NULL)
        return object == NULL && field(f, "logit_bias") == NULL;
    if (cJSON_GetArraySize(object) > BIASES_MAX)
        return refuse(f->refusal, 400, "logit_bias", "logit_bias: has more than %d tokens",
                      BIASES_MAX);
    LogitBias *bias = arena_zeros(arena, BIASES_MAX * sizeof *bias);
    cJSON_ArrayForEach(item, object)
    {
        char *end;
        const long token = strtol(item->string, &end, 10);
        const double value = cJSON_IsNumber(item) ? item->valuedouble : NAN;
        if (item->string[0] < '0' || item->string[0] > '9' || *end != '\0' || token >= vocabulary ||
            !(value >= -100 && value <= 100))
            return refuse(
                f->refusal, 400, "logit_bias",
                "logit_bias: \"%.20s\" is not a token of 0 to %d with a number of -100 to 100",
                item->string, vocabulary - 1);
        bias[s->bias_count++] = (LogitBias){(int)token, (float)value};
    }
    s->bias = bias;
    return true;
}

static bool read_sampling(SamplerOptions *s, Arena *arena, const Fields *f, int vocabulary)
{
    int64_t seed = 0;
    *s = (SamplerOptions){
        .temperature = 1, .top_p = 1, .repetition_penalty = 1, .log_probabilities = -1};
    if (field(f, "seed") == NULL && getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed)
        seed = (int64_t)(uintptr_t)f;
    // Beyond 2^53 a JSON number is not exact.
    if (field(f, "seed") != NULL &&
        !field_integer(f, "seed", -9007199254740992, 9007199254740992, &seed))
        return false;
    s->seed = (uint64_t)seed;
    return field_float(f, "temperature", 0, 100, &s->temperature) &&
           field_float(f, "top_p", 1e-6f, 1, &s->top_p) &&
           field_int(f, "top_k", 0, 1 << 24, &s->top_k) &&
           field_float(f, "min_p", 0, 1, &s->min_p) &&
           field_float(f, "repetition_penalty", 0.01f, 100, &s->repetition_penalty) &&
           field_float(f, "presence_penalty", -2, 2, &s->presence_penalty) &&
           field_float(f, "frequency_penalty", -2, 2, &s->frequency_penalty) &&
           read_bias(s, arena, f, vocabulary);
}

// {"type": "json_schema", "json_schema": {"schema": {...}}}
static bool read_format(ApiRequest *asked, Arena *arena, const Fields *f)
{
    Fields inner = {.within = "response_format.", .refusal = f->refusal}, schema = inner;
    const char *type = "text";
    if (!field_object(f, "response_format", &inner.object)) return false;
    if (inner.object == NULL) return true;
    if (!field_text(&inner, "type", &type)) return false;
    if (strcmp(type, "text") == 0) return true;
    if (strcmp(type, "json_object") == 0) return asked->schema = "{\"type\":\"object\"}", true;
    if (strcmp(type, "json_schema") != 0)
        return refuse(
            f->refusal, 400, "response_format",
            "response_format.type: is \"%.40s\", expected text, json_object or json_schema", type);
    if (!field_object(&inner, "json_schema", &schema.object)) return false;
    const cJSON *given = schema.object != NULL ? field(&schema, "schema") : NULL;
    if (!cJSON_IsObject(given))
        return refuse(f->refusal, 400, "response_format",
                      "response_format.json_schema.schema: is not there, expected an object");
    char *text = cJSON_PrintUnformatted(given);
    REQUIRE(text != NULL, "no memory for a schema");
    asked->schema = arena_print(arena, "%s", text);
    cJSON_free(text);
    return true;
}

// vLLM's: the lower is served earlier.
static bool read_priority(Request *r, const Fields *f)
{
    int priority = 0;
    if (!field_int(f, "priority", -100, 100, &priority)) return false;
    r->priority = -priority;
    return true;
}

static bool read_common(ApiRequest *asked, Arena *arena, const Served *served, const Fields *f)
{
    Request *r = &asked->request;
    r->choices = 1;
    return fields_check(f, rules, (int)(sizeof rules / sizeof *rules), asked->api) &&
           read_model(served, f) && read_stream(asked, f) && read_stops(r, arena, f) &&
           read_sampling(&r->sampling, arena, f, served->vocabulary) &&
           field_int(f, "n", 1, served->sequences, &r->choices) &&
           field_int(f, "max_tokens", 1, INT32_MAX, &r->max_tokens) && read_priority(r, f) &&
           field_flag(f, "ignore_eos", &r->ignore_stop_tokens) &&
           field_text(f, "cache_salt", &asked->salt) && read_format(asked, arena, f);
}

// ---- prompts ----

TokenIds *api_request_add_prompt(ApiRequest *asked, Arena *arena, int most)
{
    if (asked->prompts == NULL)
        asked->prompts = arena_zeros(arena, (size_t)most * sizeof *asked->prompts);
    return &asked->prompts[asked->prompt_count++];
}

static bool check_lengths(const ApiRequest *asked, const Served *served, Refusal *refusal)
{
    const char *param = asked->api == API_CHAT ? "messages" : "prompt";
    for (int i = 0; i < asked->prompt_count; i++) {
        const size_t count = asked->prompts[i].count, more = (size_t)asked->request.max_tokens;
        if (count == 0) return refuse(refusal, 400, param, "%s: is empty", param);
        if (count + (more > 0 ? more : 1) <= (size_t)served->context) continue;
        refuse(
            refusal, 400, param,
            "%s: has %zu tokens, and with %zu more of the answer that is above the model's context "
            "of %d",
            param, count, more > 0 ? more : 1, served->context);
        refusal->code = "context_length_exceeded";
        return false;
    }
    return true;
}

// ---- all of it ----

static void delete_tree(void *tree)
{
    cJSON_Delete(tree);
}

static bool compile_schema(ApiRequest *asked, Refusal *refusal)
{
    Error err;
    if (asked->schema == NULL) return true;
    asked->grammar = json_schema_compile(asked->schema, strlen(asked->schema), &err);
    if (asked->grammar != NULL) return true;
    return refuse_with(refusal, 400, asked->must_call ? "tools" : "response_format", NULL, &err);
}

bool api_request_read(ApiRequest *asked, Api api, Arena *arena, const Served *served,
                      const char *body, size_t bytes, Refusal *refusal)
{
    cJSON *tree;
    *asked = (ApiRequest){.api = api};
    if (!fields_parse(body, bytes, &tree, refusal)) return false;
    arena_on_release(arena, delete_tree, tree);
    const Fields f = {.object = tree, .refusal = refusal};
    const bool good = read_common(asked, arena, served, &f) &&
                      (api == API_CHAT ? chat_completions_read(asked, arena, served, &f)
                                       : completions_read(asked, arena, served, &f)) &&
                      check_lengths(asked, served, refusal) && compile_schema(asked, refusal);
    if (good && served->end >= 0) {
        int32_t *end = arena_alloc(arena, sizeof *end);
        *end = served->end;
        asked->request.stop_tokens = end;
        asked->request.stop_token_count = 1;
    }
    if (!good) api_request_free(asked);
    return good;
}

void api_request_free(ApiRequest *asked)
{
    for (int i = 0; i < asked->prompt_count; i++) free(asked->prompts[i].ids);
    grammar_free(asked->grammar);
    asked->prompt_count = 0;
    asked->grammar = NULL;
}
