/* check.c -- the cases that test your functions. A case's name is a sentence: exercise__promise.
 *
 *     ./lab check key_numbers
 *     ./lab check key_numbers.attention
 *
 * Expected numbers never come from key_numbers.c: they are published in model cards, papers and file
 * formats, counted by PyTorch in the models themselves, or sums that a case makes the long way. A case
 * calls functions of its own exercise only; yours may call those of the exercises before.
 */
#include "labs/5_frontier/key_numbers/check.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const CaseList lab_cases[] = {parameter_cases, byte_cases, cache_cases,
                              training_cases,  time_cases, NULL};

typedef struct Grouped {
    char text[32];
} Grouped;

static Grouped grouped(uint64_t n)    // 41,943,040
{
    char plain[24];
    int count = snprintf(plain, sizeof plain, "%" PRIu64, n);
    Grouped out = {""};
    char *end = out.text;
    for (int i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0) *end++ = ',';
        *end++ = plain[i];
    }
    *end = '\0';
    return out;
}

static bool is_near(double x, double y, double rtol)
{
    return isfinite(y) && fabs(x - y) <= rtol * fabs(y);
}

static bool clue_matches(const Clue *clue, double got, double want)
{
    return (clue->off > 0 && is_near(fabs(got - want), clue->off, 1e-9)) ||
           (clue->times > 0 && is_near(got, want * clue->times, 1e-9)) ||
           (clue->value > 0 && is_near(got, clue->value, 1e-9));
}

// Where sizes are equal, several mistakes look the same: all are reported.
static bool print_clues(double got, double want, const Want *about)
{
    int matched = 0;
    for (const Clue *clue = about->clues; clue != NULL && clue->likely != NULL; clue++)
        if (clue_matches(clue, got, want))
            print_error("%s%s\n", matched++ > 0 ? "or: " : "", clue->likely);
    return matched > 0;
}

static void print_factor(double got, double want)
{
    static const int simple[] = {2, 3, 4, 6, 8};
    double off = fabs(got - want);
    if (want == 0) return;
    if (off >= 0x1p29 && fmod(off, 0x1p29) == 0) {    // 2^32, also where bits became bytes
        print_error("off by a multiple of 2^32: a product overflowed 32 bits\n");
        return;
    }
    for (size_t i = 0; i < sizeof simple / sizeof *simple; i++) {
        if (is_near(got, want * simple[i], 1e-9))
            print_error("that is %d times the expected value\n", simple[i]);
        if (is_near(got * simple[i], want, 1e-9))
            print_error("that is 1 / %d of the expected value\n", simple[i]);
    }
    if (is_near(got, want * 1.073741824, 1e-9) || is_near(got * 1.073741824, want, 1e-9))
        print_error("GB is 1e9 and GiB is 2^30: which is it?\n");
}

void count_assert(uint64_t got, uint64_t want, const Want *about, const char *file, int line)
{
    if (got == want) return;
    uint64_t off = got > want ? got - want : want - got;
    print_error("%s\n%s: got %s, want %s\n", about->formula, about->name, grouped(got).text,
                grouped(want).text);
    if (about->sum != NULL) print_error("want = %s\n", about->sum);
    if (got > UINT64_MAX / 2) {
        print_error("that is a negative number: overflow in 32 bits, or too much was subtracted\n");
    } else {
        print_error("%s too %s\n", grouped(off).text, got > want ? "many" : "few");
        if (!print_clues((double)got, (double)want, about)) print_factor((double)got, (double)want);
    }
    _fail(file, line);
}

void real_assert(double got, double want, const Want *about, const char *file, int line)
{
    char text[1024];
    double off = got - want;
    Near near = {about->name, about->formula, .rtol = about->rtol > 0 ? about->rtol : 1e-12};
    if (near_report(text, sizeof text, NUMBERS(&got), &want, SCALAR, near)) return;
    print_error("%s", text);
    if (about->sum != NULL) print_error("want = %s\n", about->sum);
    if (about->tokens > 0)
        print_error("%.10g too %s for each token\n", fabs(off) / about->tokens,
                    off > 0 ? "many" : "few");
    if (!print_clues(got, want, about) && strstr(text, "looks like") == NULL)
        print_factor(got, want);
    _fail(file, line);
}
