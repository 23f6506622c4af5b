#include "common/schedule.h"
#include "common/error.h"
#include <math.h>

float schedule_rate(const Schedule *s, long step)
{
    REQUIRE(step >= 0, "step %ld; expected 0 or more", step);
    if (step < s->warmup) return s->peak * (float)(step + 1) / (float)s->warmup;
    if (s->shape == SCHEDULE_CONSTANT) return s->peak;
    if (s->shape == SCHEDULE_STEPS) {
        REQUIRE(s->every > 0, "a schedule in steps needs .every > 0, got %ld", s->every);
        long drops = (step - s->warmup) / s->every;
        float rate = s->peak * (float)pow(s->factor, (double)drops);
        return rate > s->floor ? rate : s->floor;
    }
    REQUIRE(s->total > s->warmup,
            "a falling schedule ends at step %ld, not after its warm-up of %ld", s->total,
            s->warmup);
    double done = (double)(step - s->warmup) / (double)(s->total - s->warmup);
    if (done > 1.0) done = 1.0;
    double left =
        s->shape == SCHEDULE_COSINE ? 0.5 * (1.0 + cos(3.14159265358979323846 * done)) : 1.0 - done;
    return s->floor + (s->peak - s->floor) * (float)left;
}
