/* gates.h -- what a lab has to show before it is one: `lab dev check`.
 *
 *     Gates gates;
 *     if (!gates_check(arena, lab, &gates, &err)) return error_report(&err);
 *     for (int g = 0; g < GATE_COUNT; g++)
 *         for (int f = 0; f < gates.gate[g].count; f++) puts(gates.gate[g].faults[f]);
 *
 * A gate without a fault holds. A fault is one sentence: where, what, and what to do about it.
 */
#pragma once
#include "labs/driver/mutant.h"
#include "labs/driver/proof.h"

// clang-format off
#define GATE_LIST(X)                                                                                \
    X(AGREE,    "agree",    "lab.json, marks, NAME.h, cases and lesson name the same")               \
    X(WORDS,    "words",    "nothing is left of the template")                                       \
    X(HINTS,    "hints",    "three levels each, and none holds a line of its solution")              \
    X(SECRETS,  "secrets",  "no file shown before solving holds a line of a solution")         \
    X(SKELETON, "skeleton", "compiles without a warning, and every case reads 'not written yet'")    \
    X(PROGRESS, "progress", "with 1..k solved, for every k, the cases of 1..k pass and no others")   \
    X(WHOLE,    "whole",    "the reference passes with sanitizers, and with the release flags")    \
    X(PROGRAM,  "program",  "the lab's program runs every exercise, so that --mine does")            \
    X(MUTANTS,  "mutants",  "four mutants or more per exercise, of every kind, each rejected")
// clang-format on

typedef enum GateId {
#define X(name, word, promise) GATE_##name,
    GATE_LIST(X)
#undef X
        GATE_COUNT
} GateId;

typedef struct Gate {
    const char *word, *promise;
    bool run;    // false: an earlier gate has to hold first
    const char **faults;
    int count;
} Gate;

typedef struct Gates {
    Gate gate[GATE_COUNT];
    int cases;
    Mutant *mutants;    // those that could be read
    Proof *proofs;      // of each mutant
    int mutant_count;
    double seconds;
} Gates;

bool gates_check(Arena *arena, const Lab *lab, Gates *gates, Error *err);
bool gates_hold(const Gates *gates);
