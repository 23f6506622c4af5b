/* text.h -- text_ends("model.safetensors", ".safetensors"). */
#pragma once
#include <stdbool.h>
#include <string.h>

static inline bool text_ends(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}
