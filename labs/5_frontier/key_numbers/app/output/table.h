/* table.h -- a report as people read it, on a page as wide as their terminal.
 *
 *     table_show(report, SHOW_ALL, false);          // what has a label
 *     table_show(report, SHOW_TRAINING, true);      // --explain: the formulas, with numbers filled in
 *     columns_show(reports, "model", names, 3, SHOW_ALL, false);    // a comparison, side by side
 */
#pragma once
#include "common/error.h"
#include "labs/5_frontier/key_numbers/app/report/rows.h"

// Parts of the answer, in their order: word for --show, first words of its paths, title.
#define PART_LIST(X)                                                                               \
    X(PARAMETERS, "parameters", "model|parameters", "Parameters")                                  \
    X(INFERENCE, "inference", "weights|kv_cache|inference", "Memory for inference")                \
    X(TRAINING, "training", "training", "Memory for training")                                     \
    X(COMPUTE, "compute", "compute", "Compute")                                                    \
    X(FIT, "fit", "fit", "Which GPU")

enum {
#define X(name, word, prefixes, title) PART_##name,
    PART_LIST(X)
#undef X
        PART_COUNT
};

#define SHOW_ALL ((1u << PART_COUNT) - 1)

// The parts that a list of words names, "parameters,fit"; 0 and a sentence when a word is none.
unsigned parts_named(const char *words, Error *err);

void table_show(const Rows *rows, unsigned shown, bool explain);
enum { COLUMNS_MAX = 64 };

// `differing`: only the rows in which the reports are not all the same.
// `heading` says what the names are: "context". Lists and sentences stand in no row.
void columns_show(const Rows *const *reports, const char *heading, const char *const *names,
                  int count, unsigned shown, bool differing);
