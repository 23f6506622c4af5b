/* check.h -- the cases of each part of the lab, in the exercises' order, and what compares. */
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

// What a mistake looks like: the answer is off by so much in either direction, is so many times
// what is wanted, or is this very number. Of the three, what is 0 is not looked at.
typedef struct Clue {
    double off, times, value;
    const char *likely;
} Clue;

enum { CLUES_MAX = 16 };

typedef struct Want {
    const char *name;       // whose number this is: "Llama-3.1-8B"
    const char *formula;    // in symbols
    const char *sum;        // how the wanted number comes about; NULL where that is plain
    Clue clues[CLUES_MAX];
    double tokens;    // that a real number is the sum over; 0: it is not said what is off for each
    double rtol;      // of a real number; 0: 1e-12
} Want;

// A count is right when it is the same; a real number when |got - want| <= rtol |want|.
#define assert_count(got, want, ...)                                                               \
    count_assert(got, want, &(Want){__VA_ARGS__}, __FILE__, __LINE__)
#define assert_real(got, want, ...) real_assert(got, want, &(Want){__VA_ARGS__}, __FILE__, __LINE__)
void count_assert(uint64_t got, uint64_t want, const Want *about, const char *file, int line);
void real_assert(double got, double want, const Want *about, const char *file, int line);

// n in parts of so many, the last of which may not be full; 0 parts where there are none.
static inline uint64_t parts_of(uint64_t n, uint64_t each)
{
    return each > 0 ? n / each + (n % each != 0) : 0;
}

// Layers of published models.
KnBlock gpt_of(uint64_t width, uint64_t heads);    // GPT-2's and GPT-3's shape: f = 4 h, all biases
extern const KnBlock llama_2_7b, llama_31_8b, llama_31_405b, falcon_7b, qwen25_05b, qwen25_7b,
    qwen3_06b, gpt_oss_20b, mixtral_8x7b, qwen3_30b, kimi_k2;
extern const KnBlock deepseek_v2_lite, deepseek_v3;                // with experts
extern const KnBlock deepseek_v2_lite_dense, deepseek_v3_dense;    // the first layers
