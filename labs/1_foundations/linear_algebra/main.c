/* main.c -- what matrices do: products, systems, least squares, eigenvalues, the SVD, and PCA. */
#include "labs/1_foundations/linear_algebra/story.h"

static const Part parts[] = {
    {"products", "Matrix product", part_products,
     .notices = {{"products",
                  "the work is the same to the last multiplication: what differs is how often a "
                  "number is loaded from memory"}}},
    {"hilbert", "LU decomposition: an ill-conditioned system", part_hilbert,
     .notices = {{"hilbert",
                  "the backward error stays at a few eps while x becomes nonsense: LU is backward "
                  "stable, the matrix is ill-conditioned. The forward error follows the condition "
                  "number times eps"}}},
    {"fit", "Least squares: polynomial regression", part_fit,
     .notices =
         {{"fit",
           "overfitting: a higher degree always lowers the training error. The error against "
           "the true function falls only up to a degree"}}},
    {"string", "Eigenvectors: normal modes of a string", part_string,
     .notices =
         {{"modes",
           "mode k crosses zero k - 1 times: the higher the frequency, the shorter the wave"}}},
    {"pages", "Power iteration: PageRank", part_pages,
     .notices = {{"pages",
                  "linear convergence: every product brings the same number of digits; how many "
                  "depends on the second eigenvalue"}}},
    {"compression", "SVD: low-rank approximation of a picture", part_compression,
     .notices = {{"ranks.png",
                  "at which rank do you see what it is, and at which can you read the text?"}}},
    {"digits", "PCA: principal components of digits", part_digits,
     .notices = {{"components",
                  "gray is zero, white is positive and black negative: what a component adds "
                  "to a digit, and what it takes away"}}},
    {"table", NULL, part_table, .unlisted = true},
};

int main(int argc, char **argv)
{
    Arena *keep = arena_new("keep", (size_t)1 << 20), *step = arena_new("step", (size_t)8 << 30);
    Experiment lab = {.step = step,
                      .size = 512,
                      .hilbert = 15,
                      .points = 25,
                      .beads = 40,
                      .images = 500,
                      .degree = 1};
    Options *options = options_new(keep, "linear_algebra",
                                   "Matrix products, linear systems, least squares, eigenvectors, "
                                   "the SVD and PCA: of a picture, a web, digits.");
    options_group(options, "This lab");
    options_string(options, "csv", 0, &lab.csv, "FILE", "least squares and PCA of your own table");
    options_string(options, "columns", 0, &lab.columns, "NAMES",
                   "its columns, the one to fit last: a,b");
    options_int(options, "degree", 0, &lab.degree, 1, 15, "of the polynomial, for two columns");
    options_int(options, "size", 'n', &lab.size, 1, 4096,
                "rows of the matrices that are multiplied");
    options_int(options, "hilbert", 0, &lab.hilbert, 2, 200, "the largest Hilbert matrix");
    options_int(options, "points", 0, &lab.points, 2, 10000, "points to fit polynomials to");
    options_int(options, "beads", 0, &lab.beads, 1, 500, "beads on the string");
    options_int(options, "images", 'i', &lab.images, 10, 2000, "images of digits for PCA");

    Story story = {.parts = parts,
                   .count = sizeof parts / sizeof *parts,
                   .lesson = "labs/1_foundations/linear_algebra/README.md",
                   .step = step};
    int status;
    lab.run = story_begin(&story, keep, options, argc, argv, &status);
    if (lab.run == NULL) return status;
    if (lab.run->smoke && !options_given(options, "size")) lab.size = 64;
    if (lab.run->smoke && !options_given(options, "images")) lab.images = 20;
    if (lab.columns != NULL && lab.csv == NULL) {
        error_print("--columns %s: expected --csv FILE with it", lab.columns);
        return 2;
    }
    if (lab.csv != NULL) story_only(&story, "table");
    return story_run(&story, &lab);
}
