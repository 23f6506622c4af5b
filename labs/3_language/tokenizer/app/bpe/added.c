#include "labs/3_language/tokenizer/app/bpe/added.h"
#include <stdlib.h>
#include <string.h>
#include "labs/3_language/tokenizer/app/text/code_point.h"

static int by_content(const void *a, const void *b)
{
    const AddedToken *x = a, *y = b;
    int order = memcmp(x->content, y->content, x->bytes < y->bytes ? x->bytes : y->bytes);
    if (order != 0 || x->bytes != y->bytes)
        return order != 0 ? order : (x->bytes > y->bytes) - (x->bytes < y->bytes);
    // Equal when normalized: special tokens first, then those that were added first.
    return x->special != y->special ? y->special - x->special : (x->id > y->id) - (x->id < y->id);
}

void added_sort(AddedTokens *added)
{
    if (added->count > 0)
        qsort(added->items, (size_t)added->count, sizeof *added->items, by_content);
    memset(added->begins, 0, sizeof added->begins);
    for (int i = 0; i < added->count; i++)
        added->begins[(uint8_t)added->items[i].content[0]] = true;
}

// The first in [low, high) whose byte at `depth` is `byte` or above; all are longer than depth.
static int first_from(const AddedTokens *added, int low, int high, size_t depth, int byte)
{
    while (low < high) {
        int middle = low + (high - low) / 2;
        if ((uint8_t)added->items[middle].content[depth] < byte) low = middle + 1;
        else high = middle;
    }
    return low;
}

// Narrows the sorted tokens, byte by byte, to those that the text goes on like.
static const AddedToken *longest(const AddedTokens *added, const uint8_t *text, size_t bytes)
{
    const AddedToken *found = NULL;
    int low = 0, high = added->count;
    for (size_t depth = 0; depth < bytes && low < high; depth++) {
        low = first_from(added, low, high, depth, text[depth]);
        high = first_from(added, low, high, depth, text[depth] + 1);
        if (low < high && added->items[low].bytes == depth + 1) found = &added->items[low];
        while (low < high && added->items[low].bytes == depth + 1) low++;
    }
    return found;
}

bool added_find(const AddedTokens *added, const uint8_t *text, size_t bytes, size_t from,
                AddedMatch *match)
{
    if (added->count == 0) return false;
    for (size_t at = from; at < bytes; at++) {
        if (!added->begins[text[at]]) continue;
        const AddedToken *token = longest(added, text + at, bytes - at);
        if (token == NULL) continue;
        *match = (AddedMatch){token, at, at + token->bytes};
        return true;
    }
    return false;
}

bool added_fit(AddedMatch *match, const uint8_t *text, size_t bytes, size_t done)
{
    const uint8_t *classes = code_point_classes();
    size_t length;
    if (match->token->single_word) {
        size_t start = match->start, end = match->end;
        if (start > 0 && classes[code_point_before(text, start, &length)] & CODE_WORD) return false;
        if (end < bytes && classes[code_point_at(text + end, bytes - end, &length)] & CODE_WORD)
            return false;
    }
    if (match->token->left && match->start < done) match->start = done;
    while (match->token->left && match->start > done &&
           classes[code_point_before(text, match->start, &length)] & CODE_SPACE)
        match->start -= length;
    while (match->token->right && match->end < bytes &&
           classes[code_point_at(text + match->end, bytes - match->end, &length)] & CODE_SPACE)
        match->end += length;
    return true;
}
