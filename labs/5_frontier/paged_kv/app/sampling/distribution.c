#include "labs/5_frontier/paged_kv/app/sampling/distribution.h"
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "kernels/cpu/functions.h"

enum { LANES = 8, STRIDE = 256 };

// ---- the largest ----

static bool before(TokenWeight a, TokenWeight b)
{
    return a.weight != b.weight ? a.weight > b.weight : a.token < b.token;
}

static int compare(const void *a, const void *b)
{
    const TokenWeight *x = a, *y = b;
    return before(*x, *y) ? -1 : before(*y, *x) ? 1 : 0;
}

static void swap(TokenWeight *a, TokenWeight *b)
{
    const TokenWeight kept = *a;
    *a = *b;
    *b = kept;
}

// The k that come before all others to the front, in no order (Hoare's quickselect: no two are equal, as each token
// is there once).
static void select_head(TokenWeight *list, int n, int k)
{
    int low = 0, high = n - 1;
    while (low < high && k < n) {
        const TokenWeight pivot = list[low + (high - low) / 2];
        int i = low, j = high;
        while (i <= j) {
            while (before(list[i], pivot)) i++;
            while (before(pivot, list[j])) j--;
            if (i <= j) swap(&list[i++], &list[j--]);
        }
        if (k - 1 <= j) high = j;
        else if (k - 1 >= i) low = i;
        else break;
    }
}

// The list collects what is larger than the k-th largest so far. As soon as it has 2 k,
// the k largest stay: after some hundred numbers hardly any is added.
void distribution_largest(TokenWeight *list, const float *x, int n, int k)
{
    float least = -INFINITY;
    int count = 0;
    for (int i = 0; i < n && k > 0; i++) {
        list[count] = (TokenWeight){i, x[i]};
        count += x[i] > least || count < k;
        if (count < 2 * k || count == n) continue;
        select_head(list, count, k);
        count = k;
        least = list[0].weight;
        for (int j = 1; j < k; j++) least = list[j].weight < least ? list[j].weight : least;
    }
    select_head(list, count, k);
    qsort(list, (size_t)k, sizeof *list, compare);
}

// In 8 sums side by side, since each addition waits for the one before.
double distribution_sum(const TokenWeight *list, int n)
{
    double sums[LANES] = {0};
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++) sums[k] += (double)list[i + k].weight;
    for (; i < n; i++) sums[0] += (double)list[i].weight;
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) +
           ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

// ---- the nucleus ----

// Weights of 0 to 1 by their exponent and 3 bits: a larger weight has no smaller bucket.
static int bucket_of(float weight)
{
    return (int)(bits_of_float(weight) >> 20);
}

// Only one bucket is sorted: that in which the share is reached.
int distribution_nucleus(TokenWeight *list, int n, double share)
{
    enum { BUCKETS = (0x3f800000 >> 20) + 1 };    // up to that of 1
    double sums[BUCKETS] = {0}, so_far = 0;
    for (int i = 0; i < n; i++) sums[bucket_of(list[i].weight)] += (double)list[i].weight;
    for (int b = 0; b < BUCKETS; b++) so_far += sums[b];
    const double enough = share * so_far;
    int last = BUCKETS - 1, above = 0, kept = 0;
    for (so_far = 0; last > 0 && so_far + sums[last] < enough; last--) so_far += sums[last];
    for (int i = 0; i < n; i++) {
        list[kept] = list[i];
        kept += bucket_of(list[i].weight) >= last;
    }
    for (int i = 0; i < kept; i++)
        if (bucket_of(list[i].weight) > last) swap(&list[above++], &list[i]);
    qsort(list + above, (size_t)(kept - above), sizeof *list, compare);
    for (int i = above; i < kept; i++) {
        so_far += (double)list[i].weight;
        if (so_far >= enough) return i + 1;
    }
    return kept;    // the sum in another order may be less by its rounding
}

// ---- a token ----

int distribution_draw(const Distribution *d, double u)
{
    double left = u * d->sum;
    int i = 0;
    for (double some;
         i + STRIDE < d->count && (some = distribution_sum(d->list + i, STRIDE)) <= left;
         i += STRIDE)
        left -= some;
    for (; i < d->count; i++) {
        left -= (double)d->list[i].weight;
        if (left < 0) return d->list[i].token;
    }
    return d->list[d->count - 1].token;    // rounding may leave a rest
}

double distribution_probability(const Distribution *d, int token)
{
    for (int i = 0; i < d->count; i++)
        if (d->list[i].token == token) return (double)d->list[i].weight / d->sum;
    return 0;
}
