/* story.h -- the parts of the lab, in their order.
 *
 * Each prints its figures, draws its pictures into the run's folder, and calls the exercises by name.
 * False with a message upon an error; what a part makes lives in `step`.
 */
#pragma once
#include "common/story.h"

typedef struct Experiment {
    Run *run;
    Arena *step;            // reset after each part
    int size;               // of the products
    int hilbert;            // the largest Hilbert matrix
    int points;             // to fit polynomials to
    int beads;              // on the string
    int images;             // of digits
    const char *csv;        // the user's table, in place of the other parts; NULL for none
    const char *columns;    // of it, the one to fit last; NULL for all
    int degree;             // of the polynomial, where there is one column to fit it by
} Experiment;

// Where the parts begin in metrics.jsonl, whose steps do not decrease.
enum { METRICS_HILBERT = 0, METRICS_FIT = 1000, METRICS_RANKS = 2000 };

// Each takes an Experiment.
bool part_products(void *lab, Error *err);       // by definition and by blocks
bool part_hilbert(void *lab, Error *err);        // LU on ill-conditioned systems
bool part_fit(void *lab, Error *err);            // polynomials by QR
bool part_string(void *lab, Error *err);         // normal modes: eigenvectors
bool part_pages(void *lab, Error *err);          // PageRank: power iteration
bool part_compression(void *lab, Error *err);    // low-rank approximation: SVD
bool part_digits(void *lab, Error *err);         // principal components of digits
bool part_table(void *lab, Error *err);          // the user's table: least squares, and PCA
