/* llama2c.c -- llama2.c as a peer of labs/5_frontier/paged_kv/app/bench_engine.c: one sequence, F32.
 *
 * llama2.c is not part of this project: fetch its run.c, then, with its own flags,
 *     gcc -Ofast -fopenmp -march=native -I LLAMA2.C bench/peers/llama2c.c -lm -o llama2c
 *     LAB_LLAMA2C=$PWD/llama2c ./lab bench engine --peers
 * It speaks as bench/peers/serve.py does.
 */
#define TESTING    // leaves its main out
#include "run.c"
#include <omp.h>
#include <sys/resource.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

// The keys and values before are zeros: what they are changes nothing in how long a step takes.
static double run_steps(Transformer *transformer, int first, int steps)
{
    const double start = now();
    for (int i = 0; i < steps; i++)
        forward(transformer, 1 + rand() % (transformer->config.vocab_size - 1), first + i);
    return now() - start;
}

int main(void)
{
    static Transformer transformer;
    char line[4096], model[1024], known[1024] = "";
    struct rusage usage;
    puts("{\"name\": \"llama2.c\", \"libraries\": \"OpenMP\"}");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin) != NULL) {
        const char *at = strstr(line, "{\"model\": ");
        int threads, batch, prompt, steps;
        long calls;
        if (at == NULL ||
            sscanf(at,
                   "{\"model\": \"%1023[^\"]\", \"work\": \"decode\", \"threads\": %d, \"batch\": "
                   "%d, \"prompt\": %d, \"steps\": %d, \"calls\": %ld",
                   model, &threads, &batch, &prompt, &steps, &calls) != 6 ||
            batch != 1) {
            puts("{\"error\": \"no such request\"}");
            fflush(stdout);
            continue;
        }
        omp_set_num_threads(threads);
        if (strcmp(known, model) != 0) {
            if (known[0] != '\0') free_transformer(&transformer);
            build_transformer(&transformer, model);
            strcpy(known, model);
            run_steps(&transformer, 0, 1);
        }
        double seconds = 0;
        for (long i = 0; i < calls; i++) seconds += run_steps(&transformer, prompt, steps);
        getrusage(RUSAGE_SELF, &usage);
        printf("{\"seconds\": %.9g, \"peak_mb\": %.6g}\n", seconds,
               1.024e-3 * (double)usage.ru_maxrss);
        fflush(stdout);
    }
    return 0;
}
