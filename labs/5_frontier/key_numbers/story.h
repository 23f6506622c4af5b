/* story.h -- the parts of the lab: the exercises' formulas on published models. */
#pragma once
#include "common/story.h"
#include "labs/5_frontier/key_numbers/app/model/open.h"
#include "labs/5_frontier/key_numbers/app/question/question.h"

typedef struct Setup {
    Run *run;
    Arena *step;          // for one part
    Question question;    // the defaults, and the GPU that was asked for
} Setup;

bool part_parameters(void *lab, Error *err);         // story_parameters.c: exercises 1 to 3
bool part_quantization(void *lab, Error *err);       // story_memory.c: 4 and 5
bool part_kv_cache(void *lab, Error *err);           // 6 to 8
bool part_training(void *lab, Error *err);           // story_training.c: 9 and 10
bool part_inference(void *lab, Error *err);          // story_inference.c: 11 and 12
bool part_compute_optimal(void *lab, Error *err);    // 13
