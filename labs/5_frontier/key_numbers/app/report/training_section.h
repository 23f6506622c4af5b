/* training_section.h -- what the rows of training.* share: training_memory.c has most of them, and
 * training_activations.c those of activations and logits.
 */
#pragma once
#include "labs/5_frontier/key_numbers/app/report/report.h"

// What the rows are of, and where they go.
typedef struct TrainingSection {
    Rows *rows;
    Arena *arena;
    const Model *model;
    const GpuSpec *gpu_spec;
    const TrainingMemory *training;
    const TrainingOptions *options;
} TrainingSection;

Row *training_bytes_row(const TrainingSection *section, const char *path, const char *label,
                        double bytes);
void training_layers_rows(const TrainingSection *section);         // training.layers[]
void training_activations_rows(const TrainingSection *section);    // of the fullest GPU
