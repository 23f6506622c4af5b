/* checkpoint.h -- a training run in one file, so that it can be stopped at any step and go on.
 *
 *     Checkpoint point = {.params = params, .optimizer = adam, .rng = &rng,
 *                         .config = "hidden 256, code 30, rate 0.001, seed 42"};
 *     if (run->resume != NULL && (!checkpoint_load(run->resume, &point, &err) ||
 *                                 !run_resumed(run, point.step, &err))) return error_report(&err);
 *     while (point.step < steps && !run_interrupted(run)) { ...; point.step++; }
 *     if (!checkpoint_save(run_path(run, "checkpoint.safetensors"), &point, &err)) ...
 *
 * A run stopped after any step and resumed ends in the same bits as one that was not stopped. The
 * file is a safetensors file: the tensors by name, numbers and text as metadata. It is replaced as
 * a whole; one that does not fit in every name, shape and the configuration is refused, and then
 * nothing was changed. So is one that is damaged (a CRC-32 of all that it holds) or contradicts
 * itself: more steps of the optimizer than of the run, a parameter that is not finite.
 */
#pragma once
#include "common/error.h"
#include "common/optimizer.h"
#include "common/rng.h"

// Numbers of the host's that belong to a run: curves, running sums, the weights of a model in double.
typedef struct Record {
    const char *name;    // none of a parameter's
    void *values;        // float; double where the type is DTYPE_F64
    int count;
    DType type;    // DTYPE_F32 unless it is set
} Record;

typedef struct Checkpoint {
    const Params *params;     // all that must come back
    const Record *records;    // and
    int record_count;
    Optimizer *optimizer;    // its moments and its step; NULL for none
    Rng *rng;                // NULL for none
    long step;               // the run's
    const char *config;      // what a resumed run must have in common with this one; NULL for ""
} Checkpoint;

bool checkpoint_save(const char *path, const Checkpoint *checkpoint, Error *err);
bool checkpoint_load(const char *path, Checkpoint *checkpoint, Error *err);

// The step alone, of a run with this configuration, for one that must know it before it can make what
// checkpoint_load() fills.
bool checkpoint_step(const char *path, const char *config, long *step, Error *err);
