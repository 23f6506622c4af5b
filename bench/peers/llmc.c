/* llmc.c -- llm.c's training on the CPU as a peer of bench/train_gpt.c.
 *
 * llm.c is not part of this project: fetch its train_gpt2.c and llmc/, then, with its own flags,
 *     gcc -Ofast -fno-finite-math-only -march=native -fopenmp -DOMP -I LLM.C bench/peers/llmc.c -lm -o llmc
 *     LAB_LLMC=$PWD/llmc ./lab bench train_gpt --peers
 * It speaks as bench/peers/serve.py does. Weights and tokens are random, as on all sides.
 */
#define TESTING    // leaves its main out
#include "train_gpt2.c"
#include <sys/resource.h>

static double peak_mb(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return 1.024e-3 * (double)usage.ru_maxrss;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void model_new(GPT2 *model, const int size[6])
{
    int padded = (size[5] + 127) / 128 * 128;    // as llm.c's own models are
    *model = (GPT2){.config = {.max_seq_len = size[3],
                               .vocab_size = size[5],
                               .padded_vocab_size = padded,
                               .num_layers = size[0],
                               .num_heads = size[1],
                               .channels = size[2]}};
    fill_in_parameter_sizes(model->param_sizes, model->config);
    for (size_t i = 0; i < NUM_PARAMETER_TENSORS; i++)
        model->num_parameters += model->param_sizes[i];
    model->params_memory = malloc_and_point_parameters(&model->params, model->param_sizes);
    float *at = model->params_memory;
    for (size_t i = 0; i < model->num_parameters; i++)
        at[i] = 0.02f * ((float)rand() / (float)RAND_MAX - 0.5f) * 3.46f;
    // The scales of LayerNorm begin at 1.
    float *const norms[] = {model->params.ln1w, model->params.ln2w, model->params.lnfw};
    const size_t counts[] = {(size_t)size[0] * size[2], (size_t)size[0] * size[2], (size_t)size[2]};
    for (int n = 0; n < 3; n++)
        for (size_t i = 0; i < counts[n]; i++) norms[n][i] = 1;
}

static void step(GPT2 *model, int *inputs, int *targets, const int size[6], int t)
{
    gpt2_forward(model, inputs, targets, (size_t)size[4], (size_t)size[3]);
    gpt2_zero_grad(model);
    gpt2_backward(model);
    gpt2_update(model, 3e-4f, 0.9f, 0.95f, 1e-8f, 0.1f, t);
}

int main(void)
{
    FILE *answers = fdopen(dup(STDOUT_FILENO), "w");    // llm.c itself prints, too
    dup2(STDERR_FILENO, STDOUT_FILENO);
    fputs("{\"name\": \"llm.c\", \"libraries\": \"OpenMP\", \"forms\": [\"as built\"]}\n", answers);
    fflush(answers);
    GPT2 model = {0};
    int known[6] = {0}, *inputs = NULL, *targets = NULL, t = 0;
    char line[1024];
    while (fgets(line, sizeof line, stdin) != NULL) {
        int threads = 1, size[6];
        long calls = 1;
        const char *at = strstr(line, "\"size\": [");
        const char *counted = strstr(line, "\"calls\": "), *cores = strstr(line, "\"threads\": ");
        if (at == NULL || counted == NULL || cores == NULL ||
            sscanf(at, "\"size\": [%d, %d, %d, %d, %d, %d]", &size[0], &size[1], &size[2], &size[3],
                   &size[4], &size[5]) != 6 ||
            sscanf(counted, "\"calls\": %ld", &calls) != 1 ||
            sscanf(cores, "\"threads\": %d", &threads) != 1) {
            fputs("{\"error\": \"no such request\"}\n", answers);
            fflush(answers);
            continue;
        }
        omp_set_num_threads(threads);
        if (memcmp(known, size, sizeof known) != 0) {
            if (inputs != NULL) gpt2_free(&model), free(inputs);
            memcpy(known, size, sizeof known);
            model_new(&model, size);
            int tokens = size[3] * size[4];
            inputs = malloc(sizeof *inputs * 2 * (size_t)tokens);
            targets = inputs + tokens;
            for (int i = 0; i < 2 * tokens; i++) inputs[i] = rand() % size[5];
            t = 0;
            step(&model, inputs, targets, size, ++t);
        }
        double start = now();
        for (long i = 0; i < calls; i++) step(&model, inputs, targets, size, ++t);
        fprintf(answers, "{\"seconds\": %.9g, \"peak_mb\": %.6g}\n", now() - start, peak_mb());
        fflush(answers);
    }
    return 0;
}
