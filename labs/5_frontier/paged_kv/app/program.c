#include "labs/5_frontier/paged_kv/app/program.h"
#include <signal.h>
#include "common/console.h"

bool program_parse(Options *options, int argc, char **argv, const char **model, int *status)
{
    const char **words;
    int count;
    options_rest(options, &words, &count, "MODEL");
    if (!options_parse(options, argc, argv, status)) return false;
    console_check_output();
    *status = 2;
    if (count != 1) return error_print("takes one model, and %d are given", count), false;
    *model = words[0];
    return true;
}

void program_declare_sampling(Options *o, SamplerOptions *s)
{
    options_group(o, "sampling");
    options_float(o, "temperature", 0, &s->temperature, 0, 100,
                  "0: the likeliest token; 0.7: some variety");
    options_int(o, "top-k", 0, &s->top_k, 0, 1 << 24, "only the k likeliest; 0: all");
    options_float(o, "top-p", 0, &s->top_p, 0, 1, "the likeliest with this probability");
    options_float(o, "min-p", 0, &s->min_p, 0, 1, "at least this times the likeliest");
    options_float(o, "repetition", 0, &s->repetition_penalty, 0, 100, "penalty; 1: none");
    options_uint64(o, "seed", 's', &s->seed, "of the random numbers");
}

static volatile sig_atomic_t came;

static void interrupt(int signal)
{
    (void)signal;
    came = 1;
}

void program_watch_interrupt(void)
{
    signal(SIGINT, interrupt);
}

bool program_interrupted(void)
{
    const bool interrupted = came;
    came = 0;
    return interrupted;
}
