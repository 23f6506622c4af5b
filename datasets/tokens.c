#include "datasets/tokens.h"
#include <limits.h>
#include <string.h>

void tokens_split(const Tokens *all, float share, Tokens *train, Tokens *validation)
{
    REQUIRE(share >= 0 && share <= 1, "a share of %g", (double)share);
    *train = *validation = *all;
    size_t of = all->starts != NULL ? all->start_count : all->count;
    size_t kept = of - (size_t)((double)share * (double)of);
    if (all->starts == NULL) {
        train->count = kept;
        validation->ids += kept;
        validation->count -= kept;
        return;
    }
    // Starts count from the first token, so that validation keeps the ids in front of its own.
    train->start_count = kept;
    train->count = kept < of ? all->starts[kept] : all->count;
    validation->starts += kept;
    validation->start_count -= kept;
}

// Places at which a window may begin.
static size_t places(const Tokens *tokens, int length)
{
    size_t needed = (size_t)length + 1;
    if (tokens->count < needed) return 0;
    size_t last = tokens->count - needed;
    if (tokens->starts == NULL) return last + 1;
    size_t count = tokens->start_count;
    while (count > 0 && tokens->starts[count - 1] > last) count--;
    return count;
}

bool token_windows(TokenWindows *windows, Tokens tokens, int length, size_t stride,
                   const char *where, Error *err)
{
    REQUIRE(length > 0 && stride > 0, "windows of %d tokens, %zu apart", length, stride);
    size_t there = places(&tokens, length);
    if (there == 0 && tokens.starts != NULL && tokens.count > (size_t)length)
        return error_set(err,
                         "%s: has no beginning with %d tokens after it, as a window of %d needs",
                         where, length, length);
    if (there == 0)
        return error_set(
            err, "%s: has %zu token%s, expected %zu or more: a window of %d and its labels", where,
            tokens.count, tokens.count == 1 ? "" : "s", (size_t)length + 1, length);
    while ((there - 1) / stride >= INT_MAX) stride *= 2;
    *windows = (TokenWindows){.tokens = tokens,
                              .length = length,
                              .stride = stride,
                              .count = (int)((there - 1) / stride + 1)};
    return true;
}

void token_windows_limit(TokenWindows *windows, int most)
{
    REQUIRE(most > 0, "at most %d windows", most);
    if (windows->count <= most) return;
    windows->stride *= (size_t)(windows->count / most);
    windows->count = most;
}

size_t token_window_first(const TokenWindows *windows, int index)
{
    size_t place = (size_t)index * windows->stride;
    return windows->tokens.starts != NULL ? windows->tokens.starts[place] : place;
}

static void make_windows(Batch *batch, const void *data, const int *index)
{
    const TokenWindows *windows = data;
    size_t length = (size_t)windows->length;
    int32_t *ids = arena_alloc(batch->arena, 2 * sizeof *ids * length * (size_t)batch->rows);
    int32_t *labels = ids + length * (size_t)batch->rows;
    for (int r = 0; r < batch->rows; r++) {
        REQUIRE(index[r] >= 0 && index[r] < windows->count, "window %d of %d", index[r],
                windows->count);
        const int32_t *at = windows->tokens.ids + token_window_first(windows, index[r]);
        memcpy(ids + (size_t)r * length, at, sizeof *ids * length);
        memcpy(labels + (size_t)r * length, at + 1, sizeof *ids * length);
    }
    Shape shape = SHAPE(batch->rows, windows->length);
    batch->x = tensor_from_ints(batch->arena, shape, ids);
    batch->labels = tensor_from_ints(batch->arena, shape, labels);
}

Batches token_batches(const TokenWindows *windows)
{
    return (Batches){.count = windows->count, .make = make_windows, .data = windows};
}
