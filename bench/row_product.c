/* row_product.c -- rows of weights in a model file's types times a few or many rows of activations, at the
 * shapes of SmolLM2-135M and of a model of 1.1 billion parameters.
 *
 * Each call reads another copy of the weights, so that they come from memory, as in decoding. What reading
 * alone takes is measured beside it, in the same rounds: its bandwidth is the roof for few rows. LAB_CPU=avx2
 * holds us to a narrower instruction set.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include "bench/command.h"
#include "bench/peer.h"
#include "bench/report.h"
#include "common/rng.h"
#include "kernels/kernels.h"

typedef struct Size {
    int rows, cols;
} Size;

static const Size sizes[] = {{576, 576},   {1536, 576},  {576, 1536},  {49152, 576},
                             {2048, 2048}, {5632, 2048}, {2048, 5632}, {32000, 2048}};
static const int batches[] = {1, 8, 32, 128};
static const DType types[] = {DTYPE_F32,  DTYPE_F16,  DTYPE_BF16, DTYPE_Q8_0,
                              DTYPE_Q4_0, DTYPE_Q4_1, DTYPE_Q4_K, DTYPE_Q6_K};
enum {
    SIZES = sizeof sizes / sizeof *sizes,
    BATCHES = sizeof batches / sizeof *batches,
    TYPES = sizeof types / sizeof *types,
    COPIES_MIB = 192,    // of weights, over all copies: more than caches hold
};

// One product and what computes it.
typedef struct Task {
    WeightRows w;
    size_t bytes, copies, next;    // of each matrix; how many; which is next
    int m, threads;
    float *x, *y;
    Activations activations;
    Peer *peer;
} Task;

static WeightRows next_weights(Task *task)
{
    WeightRows w = task->w;
    w.data = (const char *)w.data + task->bytes * task->next;
    task->next = (task->next + 1) % task->copies;
    return w;
}

static double run_product(void *work, long calls, Error *err)
{
    (void)err;
    Task *task = work;
    const double start = bench_now();
    for (long i = 0; i < calls; i++)
        kernels.row_product(task->y, (size_t)task->w.rows, task->x, (size_t)task->w.cols, task->m,
                            next_weights(task), task->activations);
    return bench_now() - start;
}

static double run_read(void *work, long calls, Error *err)
{
    (void)err;
    Task *task = work;
    const double start = bench_now();
    for (long i = 0; i < calls; i++) {
        const uint64_t *word = next_weights(task).data;
        uint64_t sum = 0;
        const size_t part = task->bytes / sizeof *word / 4;
#pragma omp parallel for reduction(+ : sum)
        for (size_t k = 0; k < part; k++)
            sum += word[k] + word[k + part] + word[k + 2 * part] + word[k + 3 * part];
        __asm__ volatile("" : : "r"(sum));
    }
    return bench_now() - start;
}

static double run_peer(void *work, long calls, Error *err)
{
    const Task *task = work;
    return peer_ask(task->peer, err,
                    "{\"threads\": %d, \"type\": \"%s\", \"m\": %d, \"rows\": %d, \"cols\": %d, "
                    "\"copies\": %zu, \"calls\": %ld}",
                    task->threads, dtype_name(task->w.type), task->m, task->w.rows, task->w.cols,
                    task->copies, calls);
}

// Copies of one matrix, in huge pages where the system has them.
static char *weights_new(Task *task, DType type, Size size, size_t mib)
{
    const size_t count = (size_t)size.rows * (size_t)size.cols, all = mib << 20;
    task->w = (WeightRows){NULL, type, size.rows, size.cols};
    task->bytes = ((size_t)dtype_bytes(type, count) + 63) / 64 * 64;
    task->copies = 1 + all / task->bytes;
    char *data = mmap(NULL, task->bytes * task->copies, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(data != MAP_FAILED, "no memory for %zu copies of %zu bytes", task->copies, task->bytes);
#ifdef MADV_HUGEPAGE
    madvise(data, task->bytes * task->copies, MADV_HUGEPAGE);
#endif
    Rng rng = rng_from_seed(1);
    float row[8192];
    for (int c = 0; c < size.cols; c++) row[c] = rng_normal(&rng);
    const size_t row_bytes = (size_t)dtype_bytes(type, (uint64_t)size.cols);
    if (!dtype_from_floats(type, data, row, (size_t)size.cols))    // Q6_K: d is 0
        for (size_t i = 0; i < row_bytes; i++)
            data[i] = i % 210 < 208 ? (char)rng_below(&rng, 256) : 0;
    for (int r = 1; r < size.rows; r++) memcpy(data + (size_t)r * row_bytes, data, row_bytes);
    for (size_t k = 1; k < task->copies; k++) memcpy(data + k * task->bytes, data, task->bytes);
    task->w.data = data;
    return data;
}

enum { ROUNDED, TWO_TERMS, EXACT, READ, PEER, COLUMNS };
static const char *const COLUMN[COLUMNS] = {"8-bit activations", "16-bit activations", "float32",
                                            "read", "ggml"};

static void print_row(const Task *task, const Timing *const column[COLUMNS], Peak peak)
{
    const Timing *best = column[ROUNDED] != NULL ? column[ROUNDED] : column[EXACT];
    const double seconds = best->seconds.median,
                 gflops = 2e-9 * task->m * task->w.rows * task->w.cols / seconds;
    printf("%-5s %5d %5d %4d %2d %10.1f %6.1f %5.0f%% %7.0f %5.0f%%", dtype_name(task->w.type),
           task->w.rows, task->w.cols, task->m, task->threads, 1e6 * seconds,
           1e-9 * (double)task->bytes / seconds, 100 * column[READ]->seconds.median / seconds,
           gflops, 100 * gflops / peak.gflops);
    for (int i = TWO_TERMS; i < COLUMNS; i++)
        if (i != READ && column[i] != NULL && column[i] != best)
            printf(" %8.2f", column[i]->ratio.median);
        else if (i != READ) printf(" %8s", "-");
    puts(bench_noisy(best->seconds) ? " ~" : "");
    fflush(stdout);
}

static bool measure(Task task, Plan plan, Peak peak, BenchReport *report, Error *err)
{
    Task tasks[COLUMNS];
    Contender contenders[COLUMNS];
    int columns[COLUMNS], count = 0;
    for (int i = 0; i < COLUMNS; i++) {
        if ((i < EXACT && !weight_rows_in_blocks(task.w)) || (i == PEER && task.peer == NULL))
            continue;
        tasks[i] = task;
        tasks[i].activations = i == ROUNDED     ? ACTIVATIONS_Q8
                               : i == TWO_TERMS ? ACTIVATIONS_Q16
                                                : ACTIVATIONS_F32;
        columns[count] = i;
        contenders[count++] = (Contender){COLUMN[i],
                                          i == READ   ? run_read
                                          : i == PEER ? run_peer
                                                      : run_product,
                                          &tasks[i]};
    }
    Timing timings[COLUMNS];
    const Timing *column[COLUMNS] = {NULL};
    if (!bench_compare(contenders, count, plan, timings, err)) return false;
    for (int i = 0; i < count; i++) column[columns[i]] = &timings[i];
    print_row(&task, column, peak);

    cJSON *row = bench_report_row(report);
    cJSON_AddStringToObject(row, "type", dtype_name(task.w.type));
    cJSON_AddNumberToObject(row, "rows", task.w.rows);
    cJSON_AddNumberToObject(row, "cols", task.w.cols);
    cJSON_AddNumberToObject(row, "m", task.m);
    cJSON_AddNumberToObject(row, "threads", task.threads);
    cJSON_AddNumberToObject(row, "bytes", (double)task.bytes);
    cJSON_AddNumberToObject(row, "flop", 2.0 * task.m * task.w.rows * task.w.cols);
    for (int i = 0; i < count; i++) bench_report_timing(row, &timings[i]);
    return true;
}

typedef struct Choice {
    const char *type;     // "all", or a type's name
    int rows, cols, m;    // 0: all
} Choice;

static bool measure_all(const Command *command, const Choice *only, Arena *arena, Peer *peer,
                        BenchReport *report, int threads, Error *err)
{
    bench_threads(threads);
    const Peak peak = peak_measure(threads);
    bench_report_peak(report, peak);
    printf(
        "\nmicroseconds, medians of interleaved rounds; read: of what reading the weights "
        "takes; peak: of\n"
        "float32's; 16-bit, float32 and ggml: the speed shown over theirs  (~ noisy)\n"
        "type   rows  cols    m  t         us   GB/s   read GFLOP/s   peak   16-bit  float32     "
        "ggml\n");
    for (int t = 0; t < TYPES; t++)
        for (int s = 0; s < SIZES; s++) {
            const Size size = command->quick ? (Size){33, 256} : sizes[s];
            if ((strcmp(only->type, "all") != 0 && strcmp(only->type, dtype_name(types[t])) != 0) ||
                (only->rows > 0 && only->rows != size.rows) ||
                (only->cols > 0 && only->cols != size.cols) ||
                size.cols % (int)dtype_info[types[t]].block != 0)
                continue;
            Task task = {.threads = threads, .peer = peer};
            char *data = weights_new(&task, types[t], size, command->quick ? 1 : COPIES_MIB);
            arena_reset(arena);
            const size_t inputs = 128 * (size_t)size.cols, outputs = 128 * (size_t)size.rows;
            task.x = arena_numbers(arena, inputs * sizeof *task.x);
            task.y = arena_numbers(arena, outputs * sizeof *task.y);
            Rng rng = rng_from_seed(2);
            for (size_t i = 0; i < inputs; i++) task.x[i] = rng_normal(&rng);
            bool ok = true;
            for (int b = 0; ok && b < (only->m > 0 ? 1 : BATCHES); b++) {
                task.m = only->m > 0 ? only->m : batches[b];
                ok = measure(task, command->plan, peak, report, err);
            }
            munmap(data, task.bytes * task.copies);
            if (!ok) return false;
            if (command->quick) break;
        }
    return true;
}

int main(int argc, char **argv)
{
    Error err;
    int status;
    Command command = {.peers = false};
    Choice only = {.type = "all"};
    const char *program = NULL;
    Arena *keep = arena_new("keep", 64u << 20), *arrays = arena_new("arrays", (size_t)1 << 30);
    Options *options = command_options(keep, &command, "row_product",
                                       "Products with rows of weights in a model file's types.");
    options_choice(options, "type", 0, &only.type, "all|F32|F16|BF16|Q8_0|Q4_0|Q4_1|Q4_K|Q6_K",
                   "of the weights");
    options_int(options, "rows", 0, &only.rows, 0, 1 << 20, "matrices of so many rows only");
    options_int(options, "cols", 0, &only.cols, 0, 8192, "and so many columns");
    options_int(options, "m", 'm', &only.m, 0, 128,
                "so many rows of activations; 0: several numbers");
    options_string(options, "peer", 0, &program, "PROGRAM",
                   "hold against this program, which speaks as bench/peers do");
    if (!command_parse(keep, options, argc, argv, &command, &status)) return status;

    Peer *peer = NULL;
    if (program != NULL && (peer = peer_start(keep, program, &err)) == NULL)
        return error_report(&err);
    BenchReport *report = bench_report_new(keep, "row_product", "none");
    if (peer != NULL) bench_report_peer(report, peer);
    for (int i = 0; i < command.thread_counts; i++)
        if (!measure_all(&command, &only, arrays, peer, report, command.threads[i], &err))
            return error_report(&err);
    peer_close(peer);
    if (!bench_report_end(report, command.json, &err)) return error_report(&err);
    return 0;
}
