/* numbers.c -- what speculation gains, and what 8 bits cost. */
#include <math.h>
#include "labs/5_frontier/paged_kv/story.h"

enum { V = 32, DRAFTS = 4, ROUNDS = 4000, WIDEST = 4096 };

// ---- speculation ----

// Probabilities from random numbers: the larger `spread`, the fewer tokens have most of it.
static void distribution(float *p, Rng *rng, float spread)
{
    double sum = 0;
    for (int i = 0; i < V; i++) sum += p[i] = expf(spread * rng_normal(rng));
    for (int i = 0; i < V; i++) p[i] = (float)((double)p[i] / sum);
}

bool part_speculation(void *context, Error *err)
{
    Lab *lab = context;
    Table table = table_new(lab->step, "draft model|sum min(p, q)|tokens per round|by the formula|"
                                       "chi-square of the tokens, 31 df");
    static const float noise[] = {0, 0.25f, 0.5f, 1, 2};
    static const char *const names[] = {"the target itself", "close", "fair", "poor", "bad"};
    for (int n = 0; n < 5; n++) {
        Rng rng = rng_stream(lab->run->seed, 40),
            own = rng_stream(lab->run->seed, 41 + (uint64_t)n);
        float p[(DRAFTS + 1) * V], q[DRAFTS * V];
        double overlap = 0, sum = 0, room[V], wide[V], seen[V] = {0}, chi = 0;
        distribution(p, &rng, 1);
        for (int i = 0; i < V; i++) sum += q[i] = p[i] * expf(noise[n] * rng_normal(&rng));
        for (int i = 0; i < V; i++) q[i] = (float)((double)q[i] / sum), wide[i] = (double)q[i];
        for (int i = 0; i < V; i++) overlap += fmin((double)p[i], (double)q[i]);
        for (int d = 1; d <= DRAFTS; d++)
            for (int i = 0; i < V; i++) {
                p[d * V + i] = p[i];
                if (d < DRAFTS) q[d * V + i] = q[i];
            }
        double tokens = 0;
        for (int round = 0; round < ROUNDS; round++) {
            int32_t draft[DRAFTS], next;
            double u[DRAFTS + 1];
            for (int d = 0; d < DRAFTS; d++) draft[d] = kv_draw(wide, V, (double)rng_uniform(&own));
            for (int d = 0; d <= DRAFTS; d++) u[d] = (double)rng_uniform(&own);
            int accepted = kv_accept(&next, p, q, draft, DRAFTS, V, u, room);
            for (int d = 0; d < accepted; d++) seen[draft[d]]++;
            seen[next]++;
            tokens += accepted + 1;
        }
        for (int i = 0; i < V; i++) {
            double expected = tokens * (double)p[i];
            chi += (seen[i] - expected) * (seen[i] - expected) / expected;
        }
        double formula =
            overlap < 1 - 1e-6 ? (1 - pow(overlap, DRAFTS + 1)) / (1 - overlap) : DRAFTS + 1;
        table_row(&table, "%s|%.3f|%.2f|%.2f|%.1f", names[n], overlap, tokens / ROUNDS, formula,
                  chi);
    }
    run_print(lab->run, "%d tokens are drafted in each of %d rounds.", DRAFTS, ROUNDS);
    run_table(lab->run, &table);
    (void)err;
    return true;
}

// ---- quantization ----

bool part_quantization(void *context, Error *err)
{
    Lab *lab = context;
    Rng rng = rng_stream(lab->run->seed, 60);
    float *x = arena_alloc(lab->step, sizeof *x * WIDEST),
          *y = arena_alloc(lab->step, sizeof *y * WIDEST);
    KvQ8 *a = arena_alloc(lab->step, sizeof *a * WIDEST / KV_Q8),
         *b = arena_alloc(lab->step, sizeof *b * WIDEST / KV_Q8);
    Table table =
        table_new(lab->step, "numbers of a row|bytes, float32|bytes, Q8_0|RMS error of a dot "
                             "product [%]|one of 32 is 20 times larger [%]");
    static const int widths[] = {64, 576, 1536, 4096};
    for (int w = 0; w < 4; w++) {
        double error[2] = {0, 0}, size[2] = {0, 0};
        for (int outliers = 0; outliers < 2; outliers++)
            for (int trial = 0; trial < 200; trial++) {
                rng_fill_normal(&rng, x, (size_t)widths[w]);
                rng_fill_normal(&rng, y, (size_t)widths[w]);
                for (int i = 5; i < widths[w] && outliers; i += KV_Q8) x[i] *= 20;
                kv_quantize(a, x, widths[w] / KV_Q8);
                kv_quantize(b, y, widths[w] / KV_Q8);
                double exact = 0;
                for (int i = 0; i < widths[w]; i++) exact += (double)x[i] * (double)y[i];
                double off = (double)kv_dot(a, b, widths[w] / KV_Q8) - exact;
                error[outliers] += off * off;
                size[outliers] += exact * exact;
            }
        table_row(&table, "%d|%d|%d|%.2f|%.2f", widths[w], 4 * widths[w], 34 * widths[w] / KV_Q8,
                  100 * sqrt(error[0] / size[0]), 100 * sqrt(error[1] / size[1]));
    }
    run_table(lab->run, &table);
    (void)err;
    return true;
}
