/* Exercises 15 to 17: the gradient, CD and PCD. check.c says how cases are made. */
#include "labs/2_core/boltzmann/check.h"

static const char w_formula[] = "g.w[j,i] = 1/B sum_r h0[r,j] v0[r,i] - 1/P sum_r hk[r,j] vk[r,i]",
                  b_formula[] = "g.b[i] = 1/B sum_r v0[r,i] - 1/P sum_r vk[r,i]",
                  c_formula[] = "g.c[j] = 1/B sum_r h0[r,j] - 1/P sum_r hk[r,j]";

static RbmGradient gradient_filled(int V, int H, float value)
{
    return (RbmGradient){floats_filled((size_t)V * (size_t)H, value),
                         floats_filled((size_t)V, value), floats_filled((size_t)H, value)};
}

// By plain loops in double.
static void expect_gradient(RbmGradient g, int V, int H, const double *v0, const double *h0, int B,
                            const double *vk, const double *hk, int P)
{
    double *w = doubles_zero((size_t)V * (size_t)H), *b = doubles_zero((size_t)V),
           *c = doubles_zero((size_t)H);
    for (int side = 0; side < 2; side++) {
        const double *v = side == 0 ? v0 : vk, *h = side == 0 ? h0 : hk;
        double factor = side == 0 ? 1.0 / B : -1.0 / P;
        for (int r = 0; r < (side == 0 ? B : P); r++) {
            for (int i = 0; i < V; i++) b[i] += factor * v[r * V + i];
            for (int j = 0; j < H; j++) c[j] += factor * h[r * H + j];
            for (int j = 0; j < H; j++)
                for (int i = 0; i < V; i++) w[j * V + i] += factor * h[r * H + j] * v[r * V + i];
        }
    }
    RbmGradient held = gradient_filled(V, H, 0.5f);
    assert_near(g.w, w, SHAPE(H, V), .name = "g.w", .formula = w_formula, .batch = B,
                .replaces = held.w, SUM_TOLERANCE);
    assert_near(g.b, b, SHAPE(V), .name = "g.b", .formula = b_formula, .batch = B,
                .replaces = held.b, SUM_TOLERANCE);
    assert_near(g.c, c, SHAPE(H), .name = "g.c", .formula = c_formula, .batch = B,
                .replaces = held.c, SUM_TOLERANCE);
}

static Rbm sizes_of(int V, int H)
{
    return rbm_random(800, V, H, 1);
}

// ---- 15: the gradient ----

static void check_gradient(int B, int P, int V, int H, uint64_t seed)
{
    Rbm rbm = sizes_of(V, H), before = rbm_copy(&rbm);
    Rng rng = rng_from_seed(seed);
    size_t counts[4] = {(size_t)B * (size_t)V, (size_t)B * (size_t)H, (size_t)P * (size_t)V,
                        (size_t)P * (size_t)H};
    float *x[4], *kept[4];
    for (int k = 0; k < 4; k++) {
        x[k] = floats_normal(&rng, counts[k]);
        kept[k] = floats_copy(x[k], counts[k]);
    }
    RbmGradient g = gradient_filled(V, H, 0.5f);
    bm_gradient(g, &rbm, x[0], x[1], B, x[2], x[3], P);
    expect_gradient(g, V, H, floats_wide(x[0], counts[0]), floats_wide(x[1], counts[1]), B,
                    floats_wide(x[2], counts[2]), floats_wide(x[3], counts[3]), P);
    static const char *const names[] = {"v0", "h0", "vk", "hk"};
    for (int k = 0; k < 4; k++) assert_kept(names[k], x[k], kept[k], counts[k]);
    assert_rbm_kept(&rbm, &before);
}

CASE(gradient__matches_an_example_computed_by_hand)
{
    Rbm rbm = sizes_of(2, 1);
    RbmGradient g = gradient_filled(2, 1, NAN);
    bm_gradient(g, &rbm, FLOATS(1, 0, 1, 1), FLOATS(0.5f, 1), 2, FLOATS(0, 1), FLOATS(0.25f), 1);
    assert_near(g.w, ((double[]){0.75, 0.25}), SHAPE(1, 2), .name = "g.w", .formula = w_formula,
                .batch = 2);
    assert_near(g.b, ((double[]){1, -0.5}), SHAPE(2), .name = "g.b", .formula = b_formula);
    assert_near(g.c, ((double[]){0.5}), SHAPE(1), .name = "g.c", .formula = c_formula);
}

CASE(gradient__handles_any_number_of_rows_chains_and_units)
{
    check_gradient(1, 1, 1, 1, 801);
    check_gradient(4, 4, 5, 3, 802);
    check_gradient(3, 7, 2, 9, 803);
    check_gradient(10, 1, 17, 1, 804);
    check_gradient(1, 12, 1, 6, 805);
    check_gradient(33, 20, 40, 35, 806);
}

CASE(gradient__is_zero_where_the_model_equals_the_data)
{
    Rbm rbm = sizes_of(6, 5);
    Rng rng = rng_from_seed(807);
    float *v = floats_normal(&rng, 24), *h = floats_normal(&rng, 20);
    RbmGradient g = gradient_filled(6, 5, 0.5f);
    double *zeros = doubles_zero(30);
    bm_gradient(g, &rbm, v, h, 4, v, h, 4);
    assert_near(g.w, zeros, SHAPE(5, 6), .name = "g.w", .formula = w_formula);
    assert_near(g.b, zeros, SHAPE(6), .name = "g.b", .formula = b_formula);
    assert_near(g.c, zeros, SHAPE(5), .name = "g.c", .formula = c_formula);
}

enum { V = 4, H = 3, STATES = 16 };

typedef struct Wide {
    double w[H * V], b[V], c[H];
    const float *data;
    int rows;
} Wide;

static double wide_minus_f(const Wide *m, const double *v)
{
    double sum = 0;
    for (int i = 0; i < V; i++) sum += m->b[i] * v[i];
    for (int j = 0; j < H; j++) {
        double x = m->c[j];
        for (int i = 0; i < V; i++) x += m->w[j * V + i] * v[i];
        sum += log1p(exp(x));
    }
    return sum;
}

static double log_likelihood(const void *argument)
{
    const Wide *m = argument;
    double z = 0, mean = 0, v[V];
    for (int k = 0; k < STATES; k++) {
        for (int i = 0; i < V; i++) v[i] = k >> i & 1;
        z += exp(wide_minus_f(m, v));
    }
    for (int r = 0; r < m->rows; r++) {
        for (int i = 0; i < V; i++) v[i] = (double)m->data[r * V + i];
        mean += wide_minus_f(m, v) / m->rows;
    }
    return mean - log(z);
}

// With every state in place of the chains, each as often as it is probable, the gradient is exact.
CASE(gradient__is_the_slope_of_the_exact_log_likelihood)
{
    enum { B = 5 };
    Rbm rbm = rbm_random(808, V, H, 0.7);
    float *data = rows_random(809, B, V);
    Wide m = {.data = data, .rows = B};
    for (int i = 0; i < H * V; i++) m.w[i] = (double)rbm.w[i];
    for (int i = 0; i < V; i++) m.b[i] = (double)rbm.b[i];
    for (int j = 0; j < H; j++) m.c[j] = (double)rbm.c[j];
    double v[STATES * V], z = 0, p[STATES], *h = NULL;
    for (int k = 0; k < STATES; k++) {
        for (int i = 0; i < V; i++) v[k * V + i] = k >> i & 1;
        z += p[k] = exp(wide_minus_f(&m, v + (size_t)k * V));
    }
    h = hidden_of(&rbm, v, STATES);
    float *vk = floats_filled(STATES * V, 0), *hk = floats_filled(STATES * H, 0),
          *weighted_v = floats_filled(STATES * V, 0), *weighted_h = floats_filled(STATES * H, 0),
          *h0 = floats_filled((size_t)B * H, 0);
    for (int k = 0; k < STATES; k++) {
        double often = STATES * p[k] / z;
        for (int i = 0; i < V; i++) {
            vk[k * V + i] = (float)v[k * V + i];
            weighted_v[k * V + i] = (float)(often * v[k * V + i]);
        }
        for (int j = 0; j < H; j++) {
            hk[k * H + j] = (float)h[k * H + j];
            weighted_h[k * H + j] = (float)(often * h[k * H + j]);
        }
    }
    double *wide = hidden_of(&rbm, floats_wide(data, (size_t)B * V), B);
    for (int i = 0; i < B * H; i++) h0[i] = (float)wide[i];
    RbmGradient g = gradient_filled(V, H, NAN);
    bm_gradient(g, &rbm, data, h0, B, weighted_v, hk, STATES);
    assert_near(g.w, slopes(log_likelihood, &m, m.w, (size_t)H * V), SHAPE(H, V), .name = "g.w",
                .formula = "d(mean log-likelihood)/dw[j,i]", .batch = B);
    assert_near(g.b, slopes(log_likelihood, &m, m.b, V), SHAPE(V), .name = "g.b",
                .formula = "d(mean log-likelihood)/db[i]", .batch = B);
    bm_gradient(g, &rbm, data, h0, B, vk, weighted_h, STATES);
    assert_near(g.c, slopes(log_likelihood, &m, m.c, H), SHAPE(H), .name = "g.c",
                .formula = "d(mean log-likelihood)/dc[j]", .batch = B);
}

CASE(gradient__propagates_nan)
{
    Rbm rbm = sizes_of(2, 1);
    RbmGradient g = gradient_filled(2, 1, 1);
    bm_gradient(g, &rbm, FLOATS(NAN, 1), FLOATS(0), 1, FLOATS(0, 1), FLOATS(0), 1);
    assert_near(g.w, ((double[]){(double)NAN, 0}), SHAPE(1, 2), .name = "g.w",
                .formula = w_formula);
    assert_near(g.b, ((double[]){(double)NAN, 0}), SHAPE(2), .name = "g.b", .formula = b_formula);
}

CASE(gradient__takes_the_same_arrays_again)
{
    Rbm rbm = sizes_of(1, 1);
    float *v = FLOATS(1), *h = FLOATS(1), *zero = FLOATS(0);
    RbmGradient g = gradient_filled(1, 1, NAN);
    bm_gradient(g, &rbm, v, h, 1, zero, zero, 1);
    v[0] = 3;
    bm_gradient(g, &rbm, v, h, 1, zero, zero, 1);
    assert_near(g.w, &(double){3}, SHAPE(1, 1), .name = "g.w of the second call");
    assert_near(g.b, &(double){3}, SHAPE(1), .name = "g.b of the second call");
}

// ---- 16 and 17: CD and PCD ----

static CdWork work_filled(int rows, int chains, int visible, int hidden)
{
    size_t B = (size_t)rows, P = (size_t)chains, i = (size_t)visible, j = (size_t)hidden;
    return (CdWork){floats_filled(B * j, 9), floats_filled(P * j, 9), floats_filled(P * j, 9),
                    floats_filled(P * i, 9), floats_filled(P * i, 9)};
}

// k steps by the contract, in double: on return v are the chains, h their P(h | v).
static void chain(const Rbm *rbm, double **v, double **h, int rows, int k, Draw draw)
{
    size_t visible = (size_t)rows * (size_t)rbm->V, hidden = (size_t)rows * (size_t)rbm->H;
    *h = hidden_of(rbm, *v, rows);
    for (int t = 0; t < k; t++) {
        double *hs = sample_of(*h, hidden, stream_of(draw, 2 * (uint64_t)t));
        *v = sample_of(visible_of(rbm, hs, rows), visible, stream_of(draw, 2 * (uint64_t)t + 1));
        *h = hidden_of(rbm, *v, rows);
    }
}

static void check_cd(int B, int visible, int hidden, int k, uint64_t seed)
{
    Rbm rbm = rbm_random(seed, visible, hidden, 0.7), before = rbm_copy(&rbm);
    size_t n = (size_t)B * (size_t)visible;
    float *v0 = rows_random(seed + 1, B, visible), *kept = floats_copy(v0, n);
    CdWork work = work_filled(B, B, visible, hidden);
    RbmGradient g = gradient_filled(visible, hidden, 0.5f);
    const Draw draw = {seed, 10 * seed};
    bm_cd(g, &rbm, v0, B, k, draw, work);
    double *data = floats_wide(v0, n), *h0 = hidden_of(&rbm, data, B), *vk = data, *hk;
    chain(&rbm, &vk, &hk, B, k, draw);
    assert_near(work.h0, h0, SHAPE(B, hidden), .name = "work.h0", .formula = "h0 = P(h | v0)",
                SUM_TOLERANCE);
    assert_near(work.vk, vk, SHAPE(B, visible), .name = "work.vk",
                .formula =
                    "step t: hs ~ hk by stream + 2t, v = P(v | hs), vk ~ v by stream + 2t + 1",
                .exact = true);
    assert_near(work.hk, hk, SHAPE(B, hidden), .name = "work.hk", .formula = "hk = P(h | vk)",
                SUM_TOLERANCE);
    expect_gradient(g, visible, hidden, data, h0, B, vk, hk, B);
    assert_kept("v0", v0, kept, n);
    assert_rbm_kept(&rbm, &before);
}

CASE(cd__takes_one_gibbs_step_from_the_data)
{
    check_cd(1, 1, 1, 1, 811);
    check_cd(4, 6, 3, 1, 812);
    check_cd(3, 2, 9, 1, 813);
    check_cd(16, 25, 11, 1, 814);
}

CASE(cd__takes_k_gibbs_steps)
{
    check_cd(3, 5, 4, 2, 821);
    check_cd(5, 4, 6, 3, 822);
    check_cd(1, 3, 2, 10, 823);
}

CASE(cd__leaves_the_last_reconstruction)
{
    enum { ROWS = 3 };
    Rbm rbm = rbm_random(830, 5, 4, 0.7);
    float *v0 = rows_random(831, ROWS, 5);
    CdWork work = work_filled(ROWS, ROWS, 5, 4);
    RbmGradient g = gradient_filled(5, 4, 0);
    const Draw draw = {832, 833};
    bm_cd(g, &rbm, v0, ROWS, 1, draw, work);
    double *hs = sample_of(hidden_of(&rbm, floats_wide(v0, 15), ROWS), 12, draw);
    assert_near(work.hs, hs, SHAPE(ROWS, 4), .name = "work.hs", .formula = "hs ~ P(h | v0)",
                .exact = true);
    assert_near(work.v, visible_of(&rbm, hs, ROWS), SHAPE(ROWS, 5), .name = "work.v",
                .formula = "v = P(v | hs), not yet sampled", SUM_TOLERANCE);
}

CASE(cd__with_many_steps_approaches_the_exact_gradient)
{
    // The chains forget the data: what is left is noise of 1 / sqrt(rows).
    enum { ROWS = 4000 };
    Rbm rbm = rbm_random(834, 3, 2, 0.5);
    float *v0 = floats_filled(ROWS * 3, 0);
    for (int i = 0; i < ROWS * 3; i++) v0[i] = i % 3 == 0;
    CdWork work = work_filled(ROWS, ROWS, 3, 2);
    RbmGradient g = gradient_filled(3, 2, 0);
    bm_cd(g, &rbm, v0, ROWS, 20, (Draw){835, 1}, work);
    double z = exact_log_z(&rbm), want[3] = {1, 0, 0};
    for (int k = 0; k < 8; k++) {
        double v[3] = {k & 1, k >> 1 & 1, k >> 2}, p = exp(-free_energy_of(&rbm, v) - z);
        for (int i = 0; i < 3; i++) want[i] -= p * v[i];
    }
    assert_near(g.b, want, SHAPE(3), .name = "g.b", .formula = "mean of the data - E[v]",
                .atol = 0.04);
}

CASE(cd__takes_probabilities_as_data)
{
    Rbm rbm = rbm_random(836, 2, 2, 1);
    float *v0 = FLOATS(0.25f, 0.75f);
    CdWork work = work_filled(1, 1, 2, 2);
    RbmGradient g = gradient_filled(2, 2, 0);
    bm_cd(g, &rbm, v0, 1, 1, (Draw){837, 1}, work);
    double *data = floats_wide(v0, 2), *h0 = hidden_of(&rbm, data, 1), *vk = data, *hk;
    chain(&rbm, &vk, &hk, 1, 1, (Draw){837, 1});
    expect_gradient(g, 2, 2, data, h0, 1, vk, hk, 1);
}

CASE(cd__propagates_nan)
{
    Rbm rbm = rbm_of(1, 1, (float[]){NAN}, (float[]){0}, (float[]){0});
    CdWork work = work_filled(1, 1, 1, 1);
    RbmGradient g = gradient_filled(1, 1, 0);
    bm_cd(g, &rbm, FLOATS(1), 1, 1, (Draw){1, 1}, work);
    assert_near(g.w, &(double){(double)NAN}, SHAPE(1, 1), .name = "g.w",
                .formula = "a NaN in w reaches the gradient");
}

CASE(cd__takes_the_same_arrays_again)
{
    float w[] = {0}, b[] = {0}, c[] = {0};
    const Rbm rbm = {1, 1, w, b, c};
    float *v0 = FLOATS(1);
    CdWork work = work_filled(1, 1, 1, 1);
    RbmGradient g = gradient_filled(1, 1, 0);
    bm_cd(g, &rbm, v0, 1, 1, (Draw){1, 1}, work);
    b[0] = -1000, v0[0] = 0.5f;
    bm_cd(g, &rbm, v0, 1, 1, (Draw){2, 1}, work);
    assert_near(g.b, &(double){0.5}, SHAPE(1), .name = "g.b of the second call",
                .formula = b_formula);
}

static void check_pcd(int B, int P, int visible, int hidden, int k, uint64_t seed)
{
    Rbm rbm = rbm_random(seed, visible, hidden, 0.7), before = rbm_copy(&rbm);
    size_t n = (size_t)B * (size_t)visible, m = (size_t)P * (size_t)visible;
    float *v0 = rows_random(seed + 1, B, visible), *kept = floats_copy(v0, n),
          *chains = rows_random(seed + 2, P, visible);
    CdWork work = work_filled(B, P, visible, hidden);
    double *data = floats_wide(v0, n), *h0 = hidden_of(&rbm, data, B), *vk = floats_wide(chains, m),
           *hk;
    for (int call = 0; call < 2; call++) {
        const Draw draw = {seed, 1000 * seed + 100 * (uint64_t)call};
        RbmGradient g = gradient_filled(visible, hidden, 0.5f);
        bm_pcd(g, &rbm, v0, B, chains, P, k, draw, work);
        chain(&rbm, &vk, &hk, P, k, draw);
        assert_near(chains, vk, SHAPE(P, visible), .name = call == 0 ? "chains" : "chains, call 2",
                    .formula = "step t: hs ~ P(h | chains) by stream + 2t, chains ~ P(v | hs) by "
                               "stream + 2t + 1",
                    .exact = true);
        expect_gradient(g, visible, hidden, data, h0, B, vk, hk, P);
    }
    assert_kept("v0", v0, kept, n);
    assert_rbm_kept(&rbm, &before);
}

CASE(pcd__moves_its_chains_on_from_call_to_call)
{
    check_pcd(1, 1, 1, 1, 1, 841);
    check_pcd(4, 4, 6, 3, 1, 842);
    check_pcd(3, 3, 2, 9, 1, 843);
}

CASE(pcd__handles_more_and_fewer_chains_than_rows)
{
    check_pcd(2, 7, 5, 3, 1, 851);
    check_pcd(9, 2, 3, 5, 1, 852);
    check_pcd(1, 20, 12, 8, 1, 853);
    check_pcd(20, 1, 8, 12, 1, 854);
}

CASE(pcd__takes_k_gibbs_steps)
{
    check_pcd(3, 4, 5, 4, 2, 861);
    check_pcd(2, 3, 4, 6, 5, 862);
}

CASE(pcd__does_not_depend_on_the_data_in_its_chains)
{
    Rbm rbm = rbm_random(870, 6, 4, 0.7);
    float *chains = rows_random(871, 3, 6), *same = floats_copy(chains, 18);
    CdWork work = work_filled(2, 3, 6, 4);
    RbmGradient g = gradient_filled(6, 4, 0);
    bm_pcd(g, &rbm, floats_filled(12, 0), 2, chains, 3, 1, (Draw){872, 1}, work);
    bm_pcd(g, &rbm, floats_filled(12, 1), 2, same, 3, 1, (Draw){872, 1}, work);
    assert_near(chains, floats_wide(same, 18), SHAPE(3, 6), .name = "chains", .exact = true,
                .formula = "two callers with equal chains and different data");
}

CASE(pcd__serves_two_callers_in_turns)
{
    // So strong a weight keeps a chain where it is.
    Rbm rbm = rbm_of(1, 1, (float[]){400}, (float[]){-200}, (float[]){-200});
    float *on = FLOATS(1), *off = FLOATS(0);
    CdWork work = work_filled(1, 1, 1, 1);
    RbmGradient g = gradient_filled(1, 1, 0);
    for (uint64_t call = 0; call < 3; call++) {
        bm_pcd(g, &rbm, FLOATS(1), 1, on, 1, 1, (Draw){875, call}, work);
        bm_pcd(g, &rbm, FLOATS(1), 1, off, 1, 1, (Draw){876, call}, work);
    }
    assert_near(on, &(double){1}, SHAPE(1, 1), .name = "chains of the first caller");
    assert_near(off, &(double){0}, SHAPE(1, 1), .name = "chains of the second caller");
}

CASE(pcd__chains_reach_the_distribution_of_the_model)
{
    enum { CHAINS = 4000 };
    Rbm rbm = rbm_random(873, 3, 2, 0.5);
    float *chains = floats_filled(CHAINS * 3, 1);
    CdWork work = work_filled(1, CHAINS, 3, 2);
    RbmGradient g = gradient_filled(3, 2, 0);
    for (uint64_t call = 0; call < 10; call++)
        bm_pcd(g, &rbm, FLOATS(0, 0, 0), 1, chains, CHAINS, 2, (Draw){874, 10 * call}, work);
    double z = exact_log_z(&rbm), want[8] = {0}, share[8] = {0};
    for (int k = 0; k < 8; k++) {
        double v[3] = {k & 1, k >> 1 & 1, k >> 2};
        want[k] = exp(-free_energy_of(&rbm, v) - z);
    }
    for (int r = 0; r < CHAINS; r++)
        share[(int)chains[3 * r] + 2 * (int)chains[3 * r + 1] + 4 * (int)chains[3 * r + 2]] +=
            1.0 / CHAINS;
    assert_near(share, want, SHAPE(8), .name = "share of the chains in each state",
                .formula = "exp(-F(v)) / Z", .atol = 0.035);
}

CASE(pcd__propagates_nan)
{
    Rbm rbm = rbm_of(1, 1, (float[]){NAN}, (float[]){0}, (float[]){0});
    CdWork work = work_filled(1, 1, 1, 1);
    RbmGradient g = gradient_filled(1, 1, 0);
    bm_pcd(g, &rbm, FLOATS(1), 1, FLOATS(1), 1, 1, (Draw){1, 1}, work);
    assert_near(g.w, &(double){(double)NAN}, SHAPE(1, 1), .name = "g.w",
                .formula = "a NaN in w reaches the gradient");
}

CASE(pcd__takes_the_same_arrays_again)
{
    float w[] = {0}, b[] = {1000}, c[] = {0};
    const Rbm rbm = {1, 1, w, b, c};
    float *v0 = FLOATS(0.5f), *chains = FLOATS(0);
    CdWork work = work_filled(1, 1, 1, 1);
    RbmGradient g = gradient_filled(1, 1, 0);
    bm_pcd(g, &rbm, v0, 1, chains, 1, 1, (Draw){1, 1}, work);
    b[0] = -1000;
    bm_pcd(g, &rbm, v0, 1, chains, 1, 1, (Draw){2, 1}, work);
    assert_near(g.b, &(double){0.5}, SHAPE(1), .name = "g.b of the second call",
                .formula = b_formula);
}

const struct CMUnitTest gradient_cases[] = {
    cmocka_unit_test(gradient__matches_an_example_computed_by_hand),
    cmocka_unit_test(gradient__handles_any_number_of_rows_chains_and_units),
    cmocka_unit_test(gradient__is_zero_where_the_model_equals_the_data),
    cmocka_unit_test(gradient__is_the_slope_of_the_exact_log_likelihood),
    cmocka_unit_test(gradient__propagates_nan),
    cmocka_unit_test(gradient__takes_the_same_arrays_again),
    cmocka_unit_test(cd__takes_one_gibbs_step_from_the_data),
    cmocka_unit_test(cd__takes_k_gibbs_steps),
    cmocka_unit_test(cd__leaves_the_last_reconstruction),
    cmocka_unit_test(cd__with_many_steps_approaches_the_exact_gradient),
    cmocka_unit_test(cd__takes_probabilities_as_data),
    cmocka_unit_test(cd__propagates_nan),
    cmocka_unit_test(cd__takes_the_same_arrays_again),
    cmocka_unit_test(pcd__moves_its_chains_on_from_call_to_call),
    cmocka_unit_test(pcd__handles_more_and_fewer_chains_than_rows),
    cmocka_unit_test(pcd__takes_k_gibbs_steps),
    cmocka_unit_test(pcd__does_not_depend_on_the_data_in_its_chains),
    cmocka_unit_test(pcd__serves_two_callers_in_turns),
    cmocka_unit_test(pcd__chains_reach_the_distribution_of_the_model),
    cmocka_unit_test(pcd__propagates_nan),
    cmocka_unit_test(pcd__takes_the_same_arrays_again),
    {0},
};
