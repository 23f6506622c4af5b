/* check.h -- the cases of each part of the lab, in the exercises' order, and their comparisons. */
#pragma once
#include "tests/cases.h"
#include "tests/facts.h"
#include "tests/near.h"
#include "labs/5_frontier/key_numbers/key_numbers.h"

extern const struct CMUnitTest parameter_cases[];    // attention, mlp, block
extern const struct CMUnitTest byte_cases[];         // bits, bytes
extern const struct CMUnitTest cache_cases[];        // kv, cached, concurrency
extern const struct CMUnitTest training_cases[];     // training_state, activations
extern const struct CMUnitTest time_cases[];         // flops, roofline, optimum

// How a likely mistake shows: the result is off by so much in either direction, is so many times the
// expected value, or is this very number. What is 0 of the three is not compared.
typedef struct Clue {
    const char *likely;
    double off, times, value;
} Clue;

// clang-format off
#define OFF(x, text) {.off = (double)(x), .likely = text}
#define TIMES(x, text) {.times = (x), .likely = text}
#define VALUE(x, text) {.value = (double)(x), .likely = text}
#define CLUES(...) (const Clue[]){__VA_ARGS__, {0}}
// clang-format on

typedef struct Want {
    const char *name;       // whose number this is: "Llama-3.1-8B"
    const char *formula;    // in symbols
    const char *sum;        // how the expected number comes about; NULL where that is plain
    const Clue *clues;      // up to one without a sentence; NULL: none
    double tokens;    // that a real number is the sum over: the error is reported per token; or 0
    double rtol;      // of a real number; 0: 1e-12
} Want;

// A count is right when it is the same; a real number when |got - want| <= rtol |want|.
#define assert_count(got, want, ...)                                                               \
    count_assert(got, want, &(Want){__VA_ARGS__}, __FILE__, __LINE__)
#define assert_real(got, want, ...) real_assert(got, want, &(Want){__VA_ARGS__}, __FILE__, __LINE__)
void count_assert(uint64_t got, uint64_t want, const Want *about, const char *file, int line);
void real_assert(double got, double want, const Want *about, const char *file, int line);

// clang-format off
// A case made of a table: run() checks each row of *state, up to the one without a name.
#define ROWS(name, run, Row, ...) {#name, run, NULL, NULL, (Row[]){__VA_ARGS__, {0}}}

// GPT-2's and GPT-3's shape: f = 4 h, all biases, two norms of a scale and a bias each.
#define GPT(h, a) (KnBlock){.width = (h), .heads = (a), .kv_heads = (a), .head_dim = (h) / (a),    \
    .qkv_bias = true, .out_bias = true, .ffn = 4 * (h), .mlp_bias = true, .norms = 4 * (h)}
// clang-format on

// n in parts of so many, the last of which may not be full; 0 parts where there are none.
static inline uint64_t parts_of(uint64_t n, uint64_t each)
{
    return each > 0 ? n / each + (n % each != 0) : 0;
}

// Layers of published models, and one of odd sizes.
extern const KnBlock odd_sizes, llama_2_7b, llama_31_8b, llama_31_405b, falcon_7b, qwen25_05b,
    qwen25_7b, qwen3_06b, gpt_oss_20b, mixtral_8x7b, qwen3_30b, kimi_k2;
extern const KnBlock deepseek_v2_lite, deepseek_v3;                // with experts
extern const KnBlock deepseek_v2_lite_dense, deepseek_v3_dense;    // the first layers
