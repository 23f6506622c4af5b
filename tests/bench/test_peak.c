#include "common/peak.h"
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "tests/facts.h"

// No core does more than four registers of fused multiply-adds a cycle, or runs above 6 GHz: a
// probe beyond that had its work removed by the compiler.
static void no_probe_exceeds_what_silicon_can_do(void **state)
{
    (void)state;
    PeakProbe probes[PEAK_MAX_PROBES];
    int count = peak_probes(probes);
    assert_true(count >= 1);
    for (int i = 0; i < count; i++) {
        double gflops = peak_gflops(probes[i], 1);
        assert_true(gflops > 0);
        assert_true(gflops < 4 * 2.0 * probes[i].lanes * 6.0);
    }
}

// Twice the lanes do about twice the work, or four times with fused operations; the rest of the
// factor is for a machine that is busy during one of the two.
static void probes_of_different_width_agree_within_a_factor_of_sixteen(void **state)
{
    (void)state;
    PeakProbe probes[PEAK_MAX_PROBES];
    int count = peak_probes(probes);
    for (int i = 1; i < count; i++) {
        double ratio = peak_gflops(probes[i], 1) / peak_gflops(probes[i - 1], 1);
        assert_true(ratio > 1.0 / 16 && ratio < 16);
    }
}

// The chains have different numbers in every lane, so that merging two of them would show here.
static void a_probe_computes_every_chain_and_lane(void **state)
{
    (void)state;
    PeakProbe probes[PEAK_MAX_PROBES];
    int count = peak_probes(probes);
    for (int i = 0; i < count; i++) {
        int lanes = probes[i].lanes;
        float start[PEAK_START];
        double expected = 0;
        for (int j = 0; j < PEAK_START; j++) start[j] = 0.25f + 0.001f * (float)j;
        for (int chain = 0; chain < PEAK_CHAINS; chain++)
            for (int lane = 0; lane < lanes; lane++) {
                double x = (double)start[chain * lanes + lane];
                double f = (double)start[PEAK_CHAINS * lanes + lane];
                for (int step = 0; step < PEAK_UNROLL; step++) x = x * f + f;
                expected += x;
            }
        assert_close((double)probes[i].run(PEAK_UNROLL, start), expected, 1e-5 * expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_probe_exceeds_what_silicon_can_do),
        cmocka_unit_test(probes_of_different_width_agree_within_a_factor_of_sixteen),
        cmocka_unit_test(a_probe_computes_every_chain_and_lane),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
