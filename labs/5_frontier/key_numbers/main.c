#include <stdio.h>
#include "labs/5_frontier/key_numbers/answer.h"
#include "common/run.h"

int main(int argc, char **argv)
{
    Arena   *keep    = arena_new("keep", (size_t)1 << 30);
    Options *options = options_new(keep, "key_numbers", "Key numbers.");
    int      status;
    Run     *run = run_begin(keep, options, argc, argv, &status);
    if (run == NULL) return status;
    return run_end(run, NULL);
}
