#include "common/nearest.h"
#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { LONGEST = 64 };

static int min(int a, int b)
{
    return a < b ? a : b;
}

// H100 is h100.
static bool same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

// Insertions, deletions, substitutions and swaps of neighbours that turn a into b: the restricted
// distance of Damerau 1964. Three rows of the table are enough.
static int edits(const char *a, const char *b)
{
    int m = (int)strlen(a), n = (int)strlen(b);
    if (m > LONGEST || n > LONGEST) return LONGEST;
    int rows[3][LONGEST + 1];
    for (int j = 0; j <= n; j++) rows[0][j] = j;
    for (int i = 1; i <= m; i++) {
        int *now = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        now[0] = i;
        for (int j = 1; j <= n; j++) {
            now[j] = min(min(above[j], now[j - 1]) + 1, above[j - 1] + !same(a[i - 1], b[j - 1]));
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
                now[j] = min(now[j], before[j - 2] + 1);
        }
    }
    return rows[m % 3][n];
}

static const char *within(const char *word, const char *const *names, int count, int most)
{
    const char *best = NULL;
    int least = LONGEST;
    for (int i = 0; i < count; i++) {
        int distance = edits(word, names[i]);
        int allowed = min((int)strlen(names[i]) / 3, most);
        if (distance < least && distance <= (allowed > 1 ? allowed : 1)) {
            least = distance;
            best = names[i];
        }
    }
    return best;
}

const char *nearest(const char *word, const char *const *names, int count)
{
    return within(word, names, count, LONGEST);
}

const char *nearest_typo(const char *word, const char *const *names, int count)
{
    return within(word, names, count, 2);
}
