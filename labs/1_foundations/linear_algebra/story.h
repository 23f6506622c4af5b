/* story.h -- the parts of the story, in the order in which they are told.
 *
 * Each prints its figures, draws its pictures into the run's folder, and calls the exercises by name.
 * False with a message when the world fails; nothing that a part makes outlives it.
 */
#pragma once
#include "common/run.h"

typedef struct Settings {
    const char *part;       // "all", or one part of the story
    int size;               // of the products
    int hilbert;            // the largest Hilbert matrix
    int points;             // to fit polynomials to
    int beads;              // on the string
    int images;             // of digits
    const char *csv;        // a table of the user's own, told instead of the story; NULL for none
    const char *columns;    // of it, the one to be explained last; NULL for all
    int degree;             // of the polynomial, where there is one column to explain it
} Settings;

// Where the parts begin in metrics.jsonl, whose steps do not decrease.
enum { METRICS_HILBERT = 0, METRICS_FIT = 1000, METRICS_RANKS = 2000 };

typedef struct Story {
    Settings set;
    Run *run;
} Story;

bool tell_products(const Story *story, Error *err);       // by definition and by blocks
bool tell_hilbert(const Story *story, Error *err);        // LU on systems that grow worse
bool tell_fit(const Story *story, Error *err);            // polynomials by QR
bool tell_string(const Story *story, Error *err);         // how beads swing: eigenvectors
bool tell_pages(const Story *story, Error *err);          // PageRank: power iteration
bool tell_compression(const Story *story, Error *err);    // a picture by rank: SVD
bool tell_digits(const Story *story, Error *err);         // what digits are made of: PCA
bool tell_table(const Story *story, Error *err);          // the user's own: a fit, and PCA
