#include "labs/3_language/transformer/files/rope_factors.h"
#include <math.h>

static const double TURN = 6.283185307179586;

// By the number of turns that the pair makes in the original context: few are slowed down, many are
// not, and in between it goes from one to the other (common/rope.c has the same of frequencies).
static double factor_of(int pair, const ModelConfig *c)
{
    const RopeScaling *s = &c->rope.scaling;
    const double low = (double)s->low_freq_factor, high = (double)s->high_freq_factor;
    const double frequency = pow((double)c->rope.theta, -2.0 * pair / c->head);
    const double stay = (s->original_positions * frequency / TURN - low) / (high - low);
    const double share = fmin(fmax(stay, 0), 1);
    return 1 / ((1 - share) / (double)s->factor + share);
}

void rope_factors_of(float *factors, const ModelConfig *config)
{
    for (int i = 0; i < config->head / 2; i++) factors[i] = (float)factor_of(i, config);
}

bool rope_factors_read(ModelConfig *c, const float *factors)
{
    RopeScaling *s = &c->rope.scaling;
    const int half = c->head / 2;
    float most = 0;
    for (int i = 0; i < half; i++)
        if (factors[i] > most) most = factors[i];
    s->kind = ROPE_LLAMA3;
    s->factor = most;
    if (s->low_freq_factor == 0) s->low_freq_factor = 1;
    if (s->high_freq_factor == 0) s->high_freq_factor = 4;
    if (s->original_positions == 0) s->original_positions = 8192;
    if (!(most >= 1 && s->high_freq_factor > s->low_freq_factor)) return false;
    for (int i = 0; i < half; i++)
        if (!(fabs((double)factors[i] - factor_of(i, c)) <= 1e-4 * factor_of(i, c))) return false;
    return true;
}
