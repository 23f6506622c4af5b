/* main.c -- the story of a matrix: multiplied, solved, turned, taken apart, and put to use.
 *
 * 1. products    2. a system that grows worse    3. curves through points    4. a string that swings
 * 5. pages by rank    6. a picture by rank    7. what digits are made of
 */
#include <stdio.h>
#include <string.h>
#include "labs/1_foundations/linear_algebra/story.h"

typedef struct Part {
    const char *name;
    bool (*tell)(const Story *story, Error *err);
    const char *notice;    // what to look at; NULL when the figures say it
} Part;

#define PARTS "all|products|hilbert|fit|string|pages|compression|digits"

static const Part parts[] = {
    {"products", tell_products,
     "  products     the work is the same to the last multiplication: what differs is how often a\n"
     "               number comes from memory before it is used up\n"},
    {"hilbert", tell_hilbert,
     "  hilbert      the residual stays at a few eps while x becomes nonsense: LU did its part, "
     "and\n"
     "               the question was bad. The error follows condition times eps\n"},
    {"fit", tell_fit,
     "  fit          a higher degree always comes nearer to the points. To the truth, only up to "
     "a\n"
     "               degree\n"},
    {"string", tell_string, NULL},
    {"pages", tell_pages,
     "  pages        every product brings the same number of digits: how many says the second\n"
     "               eigenvalue\n"},
    {"compression", tell_compression,
     "  ranks.png    at which rank do you see what it is, and at which can you read the text?\n"},
    {"digits", tell_digits,
     "  components   gray is nothing; white is drawn and black is rubbed out when a digit has "
     "much\n"
     "               of a component\n"},
};
enum { PART_COUNT = sizeof parts / sizeof *parts };

static bool is_asked(const Story *story, const Part *part)
{
    return strcmp(story->set.part, "all") == 0 || strcmp(story->set.part, part->name) == 0;
}

int main(int argc, char **argv)
{
    Arena *keep = arena_new("keep", (size_t)1 << 20);
    Settings set = {.part = "all",
                    .size = 512,
                    .hilbert = 15,
                    .points = 25,
                    .beads = 40,
                    .images = 500,
                    .degree = 1};
    Options *options = options_new(
        keep, "linear_algebra",
        "Multiplies, solves, fits, and takes matrices apart: a picture, a web, digits.");
    options_group(options, "This lab");
    options_choice(options, "part", 0, &set.part, PARTS, "the part of the story to tell");
    options_string(options, "csv", 0, &set.csv, "FILE",
                   "fit and take apart a table of your own instead");
    options_string(options, "columns", 0, &set.columns, "NAMES",
                   "its columns, what is to be fitted last: a,b");
    options_int(options, "degree", 0, &set.degree, 1, 15, "of the polynomial, for two columns");
    options_int(options, "size", 'n', &set.size, 1, 4096,
                "rows of the matrices that are multiplied");
    options_int(options, "hilbert", 0, &set.hilbert, 2, 200, "the largest Hilbert matrix");
    options_int(options, "points", 0, &set.points, 2, 10000, "points to fit polynomials to");
    options_int(options, "beads", 0, &set.beads, 1, 500, "beads on the string");
    options_int(options, "images", 'i', &set.images, 10, 2000, "images of digits to take apart");

    int status;
    Run *run = run_begin(keep, options, argc, argv, &status);
    if (run == NULL) return status;
    if (run->smoke && !options_given(options, "size")) set.size = 64;
    if (run->smoke && !options_given(options, "images")) set.images = 20;

    if (set.columns != NULL && set.csv == NULL) {
        fprintf(stderr, "linear_algebra: --columns %s: expected --csv FILE with it\n", set.columns);
        return 2;
    }
    Story story = {.set = set, .run = run};
    Error err = {""};
    if (set.csv != NULL) return tell_table(&story, &err) ? run_end(run, NULL) : error_report(&err);
    for (int p = 0; p < PART_COUNT && !run_interrupted(run); p++)
        if (is_asked(&story, &parts[p]) && !parts[p].tell(&story, &err)) return error_report(&err);
    printf("\nTo notice\n");
    for (int p = 0; p < PART_COUNT; p++)
        if (is_asked(&story, &parts[p]) && parts[p].notice != NULL) printf("%s", parts[p].notice);
    printf("labs/1_foundations/linear_algebra/README.md is the lesson, with what to try next.\n");
    return run_end(run, NULL);
}
