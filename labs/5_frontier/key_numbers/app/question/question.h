/* question.h -- what is asked: one list of settings for the command line, the web page and sweeps.
 *
 *     Question question = question_default();
 *     if (!question_set(&question, arena, "context", "128k", &err)) ...   // 131072
 *
 * Numbers take a suffix. For tokens of a context k and m are 1024 and 1024^2 (as in "a 128k model");
 * for amounts (train-tokens, budget) k, m, b, t are powers of 1000. A text is borrowed.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "common/arena.h"
#include "common/error.h"
#include "labs/5_frontier/key_numbers/app/question/cards.h"

typedef enum QuestionKind {
    QUESTION_TOKENS,    // uint64_t, k = 1024
    QUESTION_COUNT,     // uint64_t
    QUESTION_AMOUNT,    // double, k = 1000
    QUESTION_REAL,      // double
    QUESTION_TEXT,      // const char *
    QUESTION_FLAG       // bool: yes, no
} QuestionKind;

// name, kind, C type, default, least, most, choices (of a text, or NULL), group, what it is
// clang-format off
#define QUESTION_LIST(X)                                                                                              \
    X(towers,      FLAG,   bool,         true,  0, 0, NULL, "The model", "count the encoders of images and sound")       \
    X(kv_heads,    COUNT,  uint64_t,     0,     0, 65536, NULL, "The model", "key/value heads, of a model whose family is unknown") \
    X(window,      TOKENS, uint64_t,     0,     0, 1e9, NULL, "The model", "tokens that its layers see; 0: all")       \
    X(active_experts, COUNT, uint64_t,   0,     0, 65536, NULL, "The model", "experts that a token goes to; 0: all") \
    X(weights,     TEXT,   const char *, NULL,  0, 0, NULL, "Inference", "format of the weights, of --list formats; as the model is published unless given") \
    X(kv,          TEXT,   const char *, "bf16", 0, 0, NULL, "Inference", "format of the key/value cache; KEYS:VALUES for two") \
    X(context,     TOKENS, uint64_t,     4096,  1, 1e9, NULL, "Inference", "tokens that each request holds")          \
    X(batch,       COUNT,  uint64_t,     1,     1, 1e7, NULL, "Inference", "requests at the same time")               \
    X(gpu,         TEXT,   const char *, "h100-sxm", 0, 0, NULL, "The machine", "a GPU of --list gpus, 'here', or a FILE.json") \
    X(memory,      REAL,   double,       0,     0.5, 1e5, NULL, "The machine", "GB of the GPU, instead of the table's") \
    X(bandwidth,   REAL,   double,       0,     1, 1e7, NULL, "The machine", "GB/s of the GPU's memory, instead of the table's") \
    X(tflops,      REAL,   double,       0,     0.01, 1e7, NULL, "The machine", "dense 16-bit TFLOP/s of the GPU, instead of the table's") \
    X(gpus,        COUNT,  uint64_t,     0,     0, 65536, NULL, "The machine", "GPUs to split the model over; 0: as few as it takes") \
    X(tp,          COUNT,  uint64_t,     1,     1, 4096, NULL, "The machine", "tensor-parallel GPUs")                 \
    X(pp,          COUNT,  uint64_t,     1,     1, 4096, NULL, "The machine", "pipeline stages")                      \
    X(ep,          COUNT,  uint64_t,     1,     1, 4096, NULL, "The machine", "expert-parallel GPUs")                 \
    X(cards,       TEXT,   const char *, NULL,  0, 0, NULL, "The machine", "GPUs of different kinds, by commas: each gets some of the layers") \
    X(tensor_split, TEXT,  const char *, NULL,  0, 0, NULL, "The machine", "shares of the layers for --cards, by commas; by memory unless given") \
    X(u_compute,   REAL,   double,       0.7,   0.01, 1, NULL, "The machine", "share of the peak that prefill reaches") \
    X(u_memory,    REAL,   double,       0.8,   0.01, 1, NULL, "The machine", "share of the bandwidth that decoding reaches") \
    X(price,       REAL,   double,       0,     1e-6, 1e6, NULL, "The machine", "dollars for a GPU and hour; 0: no cost is given") \
    X(runtime,     TEXT,   const char *, "any", 0, 0, "any|vllm|llama.cpp|transformers", "The runtime", "program that runs the model: sets work space and overhead") \
    X(overhead,    REAL,   double,       1.0,   0, 64, NULL, "The runtime", "GiB on each GPU for CUDA context, graphs and libraries; a named runtime has its own") \
    X(sequences,   COUNT,  uint64_t,     0,     0, 1e6, NULL, "The runtime", "requests that vLLM makes room to sample at once; 0: 1024 on a GPU of 70 GiB or more, else 256") \
    X(page,        COUNT,  uint64_t,     16,    1, 1e6, NULL, "The runtime", "tokens in a page of the cache")         \
    X(step_tokens, TOKENS, uint64_t,     2048,  1, 1e7, NULL, "The runtime", "tokens that one prefill step works on: sets the work space") \
    X(utilisation, REAL,   double,       0.9,   0.01, 1, NULL, "The runtime", "share of a GPU's memory that the engine may use") \
    X(prefix,      TOKENS, uint64_t,     0,     0, 1e9, NULL, "Beside the model", "tokens that begin all requests alike and are cached once") \
    X(draft,       TEXT,   const char *, NULL,  0, 0, NULL, "Beside the model", "a smaller model of the catalogue that drafts tokens (speculative decoding)") \
    X(draft_tokens, COUNT, uint64_t,     4,     1, 64, NULL, "Beside the model", "tokens that it drafts in a step")     \
    X(acceptance,  REAL,   double,       0.7,   0, 0.999, NULL, "Beside the model", "share of drafted tokens that are accepted") \
    X(lora_slots,  COUNT,  uint64_t,     0,     0, 1e5, NULL, "Beside the model", "LoRA adapters kept beside the model, of --rank and --targets") \
    X(cpu_layers,  COUNT,  uint64_t,     0,     0, 1e5, NULL, "Beside the model", "first layers that stay in the host's memory, with their cache") \
    X(cpu_experts, COUNT,  uint64_t,     0,     0, 1e5, NULL, "Beside the model", "first layers whose routed experts stay in the host's memory") \
    X(host_bandwidth, REAL, double,      80,    0.1, 1e5, NULL, "Beside the model", "GB/s of the host's memory, for what stays there") \
    X(method,      TEXT,   const char *, "full", 0, 0, "full|lora|qlora", "Training", "what is trained")              \
    X(optimizer,   TEXT,   const char *, "adamw", 0, 0, "adamw|adamw8bit|adamw-bf16|momentum|sgd|lion|adafactor|paged-adamw|paged-adamw8bit", "Training", "optimizer") \
    X(precision,   TEXT,   const char *, "mixed", 0, 0, "mixed|fp32|bf16", "Training", "mixed: 16-bit weights beside fp32 copies") \
    X(gradients,   TEXT,   const char *, "16", 0, 0, "16|32", "Training", "bits of an accumulated gradient")          \
    X(rank,        COUNT,  uint64_t,     16,    1, 65536, NULL, "Training", "rank of LoRA's matrices")                \
    X(targets,     TEXT,   const char *, "all", 0, 0, "all|attention|qv", "Training", "matrices that LoRA adds to")   \
    X(zero,        COUNT,  uint64_t,     0,     0, 3, NULL, "Training", "ZeRO stage")                                 \
    X(dp,          COUNT,  uint64_t,     1,     1, 1e6, NULL, "Training", "data-parallel GPUs (each with tp x pp beside it)") \
    X(offload,     TEXT,   const char *, "none", 0, 0, "none|optimizer|all", "Training", "what is kept in the host's memory") \
    X(sequence,    TOKENS, uint64_t,     4096,  1, 1e8, NULL, "Training", "tokens of a training sequence")            \
    X(micro_batch, COUNT,  uint64_t,     1,     1, 1e6, NULL, "Training", "sequences in a forward pass of one GPU")   \
    X(recompute,   TEXT,   const char *, "none", 0, 0, "none|selective|full", "Training", "activations computed again instead of kept") \
    X(flash,       FLAG,   bool,         true,  0, 0, NULL, "Training", "flash attention: scores are never stored")   \
    X(sp,          FLAG,   bool,         false, 0, 0, NULL, "Training", "sequence parallelism within tensor parallelism") \
    X(train_tokens, AMOUNT, double,      0,     1, 1e18, NULL, "Training", "tokens to train on; 0: 20 for each parameter") \
    X(train_gpus,  COUNT,  uint64_t,     0,     0, 1e7, NULL, "Training", "GPUs of the training run; 0: dp x tp x pp") \
    X(mfu,         REAL,   double,       0.4,   0.001, 1, NULL, "Training", "model FLOPs utilisation of the run")     \
    X(budget,      AMOUNT, double,       0,     1e9, 1e32, NULL, "Training", "FLOPs to spend, for the Chinchilla optimum; 0: what this run costs")
// clang-format on

typedef struct Question {
#define X(name, kind, type, fallback, least, most, choices, group, about) type name;
    QUESTION_LIST(X)
#undef X
    Cards card_list;    // of `cards`, filled by question_settle()
    uint64_t given;     // a bit for each field that question_set() has set, in their order
    GpuSpec
        gpu_spec;    // what gpu, memory, bandwidth and tflops come to; filled by question_settle()
} Question;

typedef struct QuestionField {
    const char *name;    // "micro_batch"; as an option --micro-batch
    QuestionKind kind;
    double least, most;
    const char *choices, *group, *about;
    size_t offset;
} QuestionField;

extern const QuestionField question_fields[];
extern const int question_field_count;

Question question_default(void);
const QuestionField *question_field(const char *name);    // with _ or -; NULL when there is none
bool question_set(Question *question, Arena *arena, const char *name, const char *text, Error *err);
// What the field holds, as text that question_set() takes; NULL where it holds none.
const char *question_text(const Question *question, Arena *arena, const QuestionField *field);
// Of a field with choices, the place of the one it holds: 0 of the first.
int question_choice(const Question *question, const char *name);
// Whether question_set() has set it: where it has not, a model or a runtime may bring its own.
bool question_given(const Question *question, const char *name);
// A number of this field with its suffix, within its limits.
bool question_number(const QuestionField *field, const char *text, double *number, Error *err);
// After the last question_set(): finds the GPU. Formats are checked where they are used.
bool question_settle(Question *question, Arena *arena, Error *err);
