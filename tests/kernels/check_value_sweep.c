// Sweeps of value iteration: packed states with actions and outcomes of any number, equal to ref's to the bit.
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "tests/kernels/checks.h"
#include "tests/kernels/numbers.h"

typedef struct Model {
    int32_t *rows, *next;
    uint64_t *columns;
    double *reward, *weight, *from;
    int slices;
} Model;

static double *doubles_of(size_t n, Fill fill)
{
    const float *numbers = numbers_new(n, fill);
    double *copy = block_copy(numbers_new(2 * n, ZEROS), n * sizeof *copy);
    // With bits that no float has: a product or a sum in single precision cannot pass.
    for (size_t i = 0; i < n; i++) copy[i] = (double)numbers[i] * (1 + 0x1p-30 * (double)i);
    return copy;
}

// 1 to 5 actions, of which some states lack some, and 0 to 6 outcomes.
static Model model_new(int slices, Fill fill)
{
    const size_t rows = 5 * (size_t)slices + 1, most = 7 * rows;
    Model m = {.rows = labels_new((size_t)slices + 1, 1),
               .columns = block_copy(numbers_new(2 * (rows + 1), ZEROS), (rows + 1) * 8),
               .slices = slices};
    int32_t row = 0;
    for (int i = 0; i < slices; i++) {
        m.rows[i] = row;
        for (int r = 0; r < 1 + (i * 7 + 3) % 5; r++, row++)
            m.columns[row + 1] = m.columns[row] + (uint64_t)((row * 5 + i) % 7);
    }
    m.rows[slices] = row;
    const size_t states = (size_t)(slices + 1) * VALUE_SLICE;
    m.reward = doubles_of((size_t)row * VALUE_SLICE, NORMAL);
    m.weight = doubles_of(most * VALUE_SLICE, NORMAL);
    m.next = labels_new(most * VALUE_SLICE, (int)states);
    m.from = doubles_of(states, fill);
    for (size_t i = 0; i < (size_t)row * VALUE_SLICE; i += 3) m.reward[i] = -INFINITY;
    return m;
}

static void same_bits(const char *what, const double *got, const double *want, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(&got[i], &want[i], sizeof *got) != 0)
            fail_msg("value_sweep: %s[%zu] is %.17g; expected %.17g", what, i, got[i], want[i]);
}

void check_value_sweep(const Kernels *table)
{
    static const int slices[] = {0, 1, 2, 7, 8, 9, 31, 300};
    for (size_t i = 0; i < 2 * sizeof slices / sizeof *slices; i++, numbers_free()) {
        const Model m = model_new(slices[i / 2], i % 2 ? SPECIAL : NORMAL);
        const size_t states = (size_t)(m.slices + 1) * VALUE_SLICE;
        if ((double)m.slices * 100 * VALUE_SLICE > numbers_most) continue;
        double *got = doubles_of(states, NANS), *want = doubles_of(states, NANS),
               *changes = doubles_of(2, NANS);
        for (size_t s = states - VALUE_SLICE; s < states; s++) got[s] = want[s] = 5;
        kernels_ref.value_sweep(want, &changes[0], m.from, m.rows, m.columns, m.reward, m.weight,
                                m.next, m.slices);
        table->value_sweep(got, &changes[1], m.from, m.rows, m.columns, m.reward, m.weight, m.next,
                           m.slices);
        same_bits("to", got, want, states);
        same_bits("change", &changes[1], &changes[0], 1);
    }
}
