/* chat_json.h -- a conversation out of a request's JSON, in the form of the OpenAI API.
 *
 *     Chat chat;
 *     if (!chat_json_read(&chat, arena, body, &err)) ...    // {"messages": [...], "tools": [...]}
 *
 * A message's content is a text, null, or a list of parts {"type": "text", "text": "..."}; a call's arguments
 * are a JSON object or a text that is one. The role "developer" is the system's. Texts are copied into the
 * arena. Fields that are not of a conversation are the caller's.
 */
#pragma once
#include <cjson/cJSON.h>
#include "common/arena.h"
#include "labs/5_frontier/paged_kv/app/chat/template.h"

bool chat_json_read(Chat *chat, Arena *arena, const cJSON *body, Error *err);
