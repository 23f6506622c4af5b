/* hub.h -- a model's name in the address of its page.
 *
 *     hub_name(arena, "https://huggingface.co/Qwen/Qwen3-8B/tree/main")    // "Qwen/Qwen3-8B"
 *
 * Nothing is fetched. Any other text is returned as it is.
 */
#pragma once
#include "common/arena.h"

const char *hub_name(Arena *arena, const char *text);
