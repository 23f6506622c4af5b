/* near_likeness.c -- patterns: each recognises one mistake, says so and returns true. */
#include <stdint.h>
#include <string.h>
#include "tests/near_pair.h"

// Where the function adds to what was there, patterns look at what was added.

static double base(const Pair *p, size_t i)
{
    return p->near.added_to != NULL ? number(p->before, i) : 0;
}

static double got_at(const Pair *p, size_t i)
{
    return number(p->got, i) - base(p, i);
}

static double want_at(const Pair *p, size_t i)
{
    return p->want[i] - base(p, i);
}

// Ten times the tolerance: a pattern is a likeness, and a scaled error is a larger one.
static bool alike(const Pair *p, size_t i, double got, double want)
{
    return fabs(got - want) <=
           10 * tolerance(p, fmax(fabs(want), fabs(base(p, i)))) + 1e-7 * fabs(want);
}

static bool is_whole_row_wrong(const Pair *p, size_t row)
{
    return count_wrong(p, row * p->cols, (row + 1) * p->cols) == p->cols;
}

// What is wrong are the last elements of each row, or the last rows: where a loop would stop.
static bool is_tail(const Pair *p)
{
    for (size_t i = 0; i + 1 < p->count; i++)
        if ((i + 1) % p->cols != 0 && is_wrong(p, i) && !is_wrong(p, i + 1)) return false;
    for (size_t r = 0; r + 1 < p->rows; r++)
        if (is_whole_row_wrong(p, r) && !is_whole_row_wrong(p, r + 1)) return false;
    return true;
}

// All that is wrong is what was there before.
static bool looks_untouched(const Pair *p, Text *out)
{
    if (!is_known(p->before)) return false;
    size_t untouched = 0, first = 0, wrong = 0;
    for (size_t i = p->count; i-- > 0;) {
        bool same = number(p->got, i) == number(p->before, i);
        untouched += same;
        if (!is_wrong(p, i)) continue;
        if (!same) return false;
        wrong++, first = i;
    }
    if (untouched == p->count) {
        put(out, "%s holds what it held before the call: nothing was written", p->near.name);
        return true;
    }
    put(out, "%zu of %zu elements", wrong, p->count);
    put_place(p, out, ", the first at ", first);
    put(out, wrong == 1 ? ", holds what it held before the call"
                        : ", hold what they held before the call");
    if (is_tail(p)) put(out, ": does a loop end too early?");
    return true;
}

// Fresh memory is 0xff bytes: in guarded.c, and in the grader's malloc(). Arithmetic keeps the NaN
// that they are; 0/0 and inf - inf make another one. Locals that are not set begin as 0xfe bytes
// where gcc fills them (-ftrivial-auto-var-init=pattern), -1.7e38 in float, -5.3e303 in double, and as that NaN in clang.
static bool was_never_written(const Pair *p, size_t i)
{
    if (p->got.floats != NULL) {
        uint32_t bits;
        float filled;
        memcpy(&bits, &p->got.floats[i], sizeof bits);
        memset(&filled, 0xfe, sizeof filled);
        return (bits & INT32_MAX) == INT32_MAX || fabsf(p->got.floats[i] / filled - 1) < 1e-4f;
    }
    uint64_t bits;
    double filled;
    memcpy(&bits, &p->got.doubles[i], sizeof bits);
    memset(&filled, 0xfe, sizeof filled);
    return (bits & INT64_MAX) == INT64_MAX || fabs(p->got.doubles[i] / filled - 1) < 1e-4;
}

static bool looks_unwritten(const Pair *p, Text *out)
{
    size_t unwritten = 0, first = 0;
    for (size_t i = p->count; i-- > 0;)
        if (is_wrong(p, i) && was_never_written(p, i)) unwritten++, first = i;
    if (unwritten == 0) return false;
    put(out, "%zu of %zu elements", unwritten, p->count);
    put_place(p, out, ", the first at ", first);
    put(out, ", come%s from memory that was never written, or from a variable that was never set",
        unwritten == 1 ? "s" : "");
    return true;
}

static bool looks_not_finite(const Pair *p, Text *out)
{
    size_t nan = 0, infinite = 0, first = 0;
    for (size_t i = p->count; i-- > 0;) {
        double got = number(p->got, i);
        bool is_nan = isnan(got) && !isnan(p->want[i]), is_inf = isinf(got) && !isinf(p->want[i]);
        if (is_nan || is_inf) first = i;
        nan += is_nan, infinite += is_inf;
    }
    if (nan + infinite == 0) return false;
    if (nan > 0) put(out, "%zu NaN", nan);
    if (infinite > 0) put(out, "%s%zu infinite", nan > 0 ? " and " : "", infinite);
    put_place(p, out, ", the first at ", first);
    const char *cause = "overflow (exp of a large number?), a division by 0, or log of 0";
    if (nan > 0)
        cause =
            "infinity over infinity (exp of a large number?), 0/0, 0 times infinity, or the root "
            "or log of a negative number";
    put(out, ": %s", cause);
    return true;
}

static bool looks_like_a_lost_nan(const Pair *p, Text *out)
{
    size_t lost = 0, first = 0;
    for (size_t i = p->count; i-- > 0;)
        if (isnan(p->want[i]) && is_wrong(p, i)) lost++, first = i;
    if (lost == 0) return false;
    put(out, "%zu element%s", lost, lost == 1 ? "" : "s");
    put_place(p, out, ", the first at ", first);
    put(out, ", should be NaN: a NaN that goes in has to come out, and an undefined result is NaN");
    return true;
}

static bool looks_zero(const Pair *p, Text *out)
{
    for (size_t i = 0; i < p->count; i++)
        if (number(p->got, i) != 0) return false;
    if (p->count == 1) return false;    // the report says so already
    put(out, "all of it is zero");
    return true;
}

static bool looks_overwritten(const Pair *p, Text *out)
{
    if (p->near.added_to == NULL) return false;
    for (size_t i = 0; i < p->count; i++)
        if (!alike(p, i, number(p->got, i), want_at(p, i))) return false;
    put(out, "what %s held before the call was overwritten: add to it (+=), it may be used twice",
        p->near.name);
    return true;
}

static bool looks_added(const Pair *p, Text *out)
{
    if (p->near.replaces == NULL) return false;
    for (size_t i = 0; i < p->count; i++)
        if (!alike(p, i, number(p->got, i) - number(p->before, i), p->want[i])) return false;
    put(out, "what %s held before the call was added in: overwrite it (=)", p->near.name);
    return true;
}

// The factor's usual cause in words. NULL: none that comes to mind.
static const char *factor_cause(const Pair *p, double factor)
{
    double batch = p->near.batch, cols = (double)p->cols;
    if (factor == -1) return "the sign is flipped";
    if (batch > 1 && factor == batch) return "is a factor 1/B missing?";
    if (batch > 1 && factor == 1 / batch) return "was it divided by B once too often?";
    if (factor == 2) return "is a factor 1/2 missing, or was it added twice?";
    if (factor == 0.5) return "is a factor 2 missing?";
    if (cols > 1 && factor == 1 / cols) return "was it averaged over the row too?";
    return p->count > 1 ? "is a constant factor missing, or one too many?" : NULL;
}

static bool looks_scaled(const Pair *p, Text *out)
{
    double products = 0, squares = 0;
    for (size_t i = 0; i < p->count; i++) {
        products += got_at(p, i) * want_at(p, i);
        squares += want_at(p, i) * want_at(p, i);
    }
    if (products == 0 || squares == 0) return false;
    double factor = products / squares, batch = p->near.batch > 1 ? p->near.batch : 1;
    double known[] = {1, -1, batch, 1 / batch, 2, 0.5, 1.0 / (double)p->cols};
    for (size_t k = 0; k < sizeof known / sizeof *known; k++)
        if (fabs(factor - known[k]) < 1e-3 * fabs(known[k])) factor = known[k];
    if (factor == 1) return false;    // small errors here and there, not a scale
    for (size_t i = 0; i < p->count; i++)
        if (!alike(p, i, got_at(p, i), factor * want_at(p, i))) return false;
    const char *cause = factor_cause(p, factor);
    if (cause == NULL) return false;
    put(out, "%s = %.4g x %s: %s", p->near.added_to ? "what was added" : "got", factor,
        p->near.added_to ? "what should be" : "want", cause);
    if (p->near.batch > 1) put(out, " (B = %d)", p->near.batch);
    return true;
}

static bool looks_transposed(const Pair *p, Text *out)
{
    if (p->rows < 2 || p->cols < 2) return false;
    for (size_t r = 0; r < p->rows; r++)
        for (size_t c = 0; c < p->cols; c++) {
            size_t here = r * p->cols + c, there = c * p->rows + r;
            if (!alike(p, there, got_at(p, there), want_at(p, here))) return false;
        }
    put(out, "it is transposed: rows and columns are exchanged");
    return true;
}

// got[i + step] = want[i] wherever both exist.
static bool is_shifted(const Pair *p, size_t ahead, size_t behind)
{
    for (size_t i = 0; i + 1 < p->count; i++)
        if (!alike(p, i, got_at(p, i + ahead), want_at(p, i + behind))) return false;
    return true;
}

static bool looks_shifted(const Pair *p, Text *out)
{
    if (p->count < 4) return false;
    bool late = is_shifted(p, 1, 0), early = is_shifted(p, 0, 1);
    if (late == early) return false;    // neither, or all elements are the same
    put(out, "shifted by one: each value stands one place too %s", late ? "late" : "early");
    return true;
}

static double off_by(const Pair *p, size_t i)
{
    return number(p->got, i) - p->want[i];
}

// Then what is seen in all rows is one mistake's, which says nothing of rows.
static bool wants_copies_of_the_first_row(const Pair *p)
{
    for (size_t i = p->cols; i < p->count; i++)
        if (p->want[i] != p->want[i % p->cols]) return false;
    return true;
}

static bool looks_offset_by_column(const Pair *p, Text *out)
{
    if (p->rows < 2 || wants_copies_of_the_first_row(p)) return false;
    for (size_t i = p->cols; i < p->count; i++) {
        double first = off_by(p, i % p->cols);
        if (!alike(p, i, off_by(p, i), first)) return false;
        if (fabs(off_by(p, i) - first) > 1e-3 * fabs(first)) return false;
    }
    put(out, "each column is off by the same amount in every row: is the bias missing or doubled?");
    return true;
}

static bool looks_repeated(const Pair *p, Text *out)
{
    if (p->rows < 2 || wants_copies_of_the_first_row(p)) return false;
    for (size_t i = p->cols; i < p->count; i++)
        if (number(p->got, i) != number(p->got, i % p->cols)) return false;
    put(out, "every row is a copy of the first: is the row's index used?");
    return true;
}

// The first row is right, and each of the others has something wrong. The rows of floats are a batch;
// those of doubles a matrix's, of which an elimination leaves the first as it is.
static bool looks_like_batch_one(const Pair *p, Text *out)
{
    if (p->rows < 2 || count_wrong(p, 0, p->cols) > 0) return false;
    for (size_t i = p->cols; i < p->count; i += p->cols)
        if (count_wrong(p, i, i + p->cols) == 0) return false;
    put(out, "the first row is right and later ones are wrong%s",
        p->got.floats != NULL ? ": it works for a batch of 1 only" : "");
    return true;
}

// An edge is seen where there are rows and columns, and half of it or more is wrong: the last of a few
// elements may be wrong for any reason.
static bool looks_like_an_edge(const Pair *p, Text *out)
{
    if (p->rows < 2 || p->cols < 2) return false;
    size_t total = count_wrong(p, 0, p->count), last_col = 0;
    size_t last_row = count_wrong(p, p->count - p->cols, p->count);
    for (size_t r = 0; r < p->rows; r++) last_col += is_wrong(p, (r + 1) * p->cols - 1);
    bool is_row = p->rows > 2 && last_row == total, is_col = p->cols > 2 && last_col == total;
    if (total < 2 || !(is_row || is_col)) return false;
    if (2 * total < (is_row ? p->cols : p->rows)) return false;    // a few elements of it
    put(out, "only the last %s is wrong: does a loop end one too early, or a tile at its edge?",
        is_row ? "row" : "column");
    return true;
}

// A few digits are missing, and no pattern is to be seen in them.
static bool looks_rounded(const Pair *p, Text *out)
{
    double worst = 0, asked = 0;
    for (size_t i = 0; i < p->count; i++) {
        double size = fabs(p->want[i]), off = fabs(off_by(p, i)) / size;
        if (!is_wrong(p, i)) continue;
        if (!(off < 1e-3)) return false;
        if (off > worst) worst = off, asked = tolerance(p, size) / size;
    }
    put(out, "right to %.0f digits; ", floor(-log10(worst)));
    if (p->near.exact) put(out, "asked for are exactly the same numbers");
    else put(out, "%.0f are asked for", ceil(-log10(asked) - 1e-9));
    return true;
}

void near_likeness(const Pair *p, Text *out)
{
    static bool (*const patterns[])(const Pair *, Text *) = {
        looks_untouched,      looks_unwritten,  looks_not_finite,      looks_like_a_lost_nan,
        looks_rounded,        looks_zero,       looks_overwritten,     looks_added,
        looks_scaled,         looks_transposed, looks_shifted,         looks_like_an_edge,
        looks_like_batch_one, looks_repeated,   looks_offset_by_column};
    size_t start = out->used;
    put(out, "looks like: ");
    for (size_t k = 0; k < sizeof patterns / sizeof *patterns; k++)
        if (patterns[k](p, out)) {
            put(out, "\n");
            return;
        }
    out->used = start;    // none: say nothing rather than guess
    out->start[start] = '\0';
}
