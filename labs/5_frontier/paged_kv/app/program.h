/* program.h -- what the command lines of generate, chat and serve share: one model, how tokens are drawn, Ctrl-C.
 *
 *     if (!program_parse(options, argc, argv, &model, &status)) return status;
 *     program_watch_interrupt();
 *     while (engine_step(engine) && !program_interrupted()) continue;
 */
#pragma once
#include "common/options.h"
#include "labs/5_frontier/paged_kv/app/sampling/sampler.h"

// Reads a command line with one model. False: main() returns *status.
bool program_parse(Options *options, int argc, char **argv, const char **model, int *status);

void program_declare_sampling(Options *options, SamplerOptions *sampling);

// Ctrl-C no longer ends the program; whether it came since the latest call.
void program_watch_interrupt(void);
bool program_interrupted(void);
