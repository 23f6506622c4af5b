/* proof.h -- what `lab dev check` tries out: a submission that is built and run, and has to end as it should.
 *
 *     Proof proofs[] = {{.kind = PROOF_PROGRESS, .name = "solved_3", .text = skeleton, .exercise = 3},
 *                       {.kind = PROOF_MUTANT, .name = "loss_halved", .text = mutant.text, .exercise = 3,
 *                        .variant = 1}};
 *     if (!proofs_run(arena, lab, &variants, proofs, 2, &err)) return error_report(&err);
 *     puts(proofs[0].found->fault);    // "" when it ended as it should
 *
 * They run side by side. Mutants and states are compiled together (variants.h); should that text not
 * compile, or where the text itself counts, a proof compiles its own in the folder build/dev/LAB/NAME,
 * where what was built before is used again when it was of the same text.
 */
#pragma once
#include "labs/driver/grade.h"

typedef enum ProofKind {
    PROOF_WARNINGS,    // the text compiles without a warning with `compiler`
    PROOF_PROGRESS,    // the first `exercise` exercises pass, the others are not written yet
    PROOF_PLAIN,       // all pass as the lab's own programs are built, in the plain grader
    PROOF_MUTANT,      // a case of `exercise` rejects it
    PROOF_PROGRAM,     // the lab's program ends in `exercise`, the only one that is not written
} ProofKind;

typedef struct Finding {
    bool done;
    char fault[600];    // one sentence, or ""
    int cases;          // of a mutant: how many there are
    bool rejected;      // whether one of them does not pass
    bool only_ended;    // none of them compared anything: it crashed or ran out of time
    char first[120];    // the first that rejects it
} Finding;

typedef struct Proof {
    ProofKind kind;
    const char *name;    // of its folder
    const char *text;    // the whole NAME.c
    const char *compiler;
    int exercise;
    int variant;    // of a mutant: its number in Variants, from 1; 0: it is compiled alone
    const Finding *found;
} Proof;

typedef struct Variants {    // variants_text() of the lab
    const char *all;         // with the mutants
    const char *blanks;      // without: for what is compiled to be fast
} Variants;

bool proofs_run(Arena *arena, const Lab *lab, const Variants *variants, Proof *proofs, int count,
                Error *err);
