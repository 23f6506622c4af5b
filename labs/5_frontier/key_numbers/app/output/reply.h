/* reply.h -- what the web page asks and gets, in JSON; HTTP is serve.h's.
 *
 *     Reply *reply = reply_find("/answer");    // NULL: there is no such page
 *     Query query;                             // model=llama-3.1-8b&context=128k
 *     char *json;
 *     if (!reply(arena, &query, NULL, &json, &err)) ...    // 'contxt' is no setting; did you mean context?
 *
 * /answer?model=NAME&SETTING=VALUE...    the report as `--json` gives it; with explain=1 also
 *     "explain": {PATH: {"label", "text", "short", "formula", "filled"}}, what people read of it
 * /answers?...&sweep=SETTING=VALUES&paths=PATH,...    a few quantities for many values of a setting:
 *     {"setting": "context", "values": ["1024", ...], "series": {PATH: [...], ...}}
 * /models, /gpus, /formats, /settings    what may be asked for: a list of objects
 *
 * A model is one of the catalogue or a config.json that came with the request, a GPU one of the
 * table: no path to a file is ever taken from here.
 */
#pragma once
#include "common/arena.h"
#include "common/error.h"
#include "labs/5_frontier/key_numbers/app/question/query.h"

typedef struct cJSON cJSON;

// `config` is NULL where the request brought none. False and one sentence for an invalid request.
typedef bool Reply(Arena *arena, const Query *query, const cJSON *config, char **json, Error *err);

Reply *reply_find(const char *path);
