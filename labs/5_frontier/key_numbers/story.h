/* story.h -- the parts of the lab's story, each a file: what a model's numbers are and what they do. */
#pragma once
#include "common/run.h"
#include "labs/5_frontier/key_numbers/app/model/open.h"
#include "labs/5_frontier/key_numbers/app/question/question.h"

typedef struct Story {
    const Run *run;
    Arena *step;                // for one part
    const Question question;    // the defaults, and the GPU that was asked for
} Story;

bool tell_counting(const Story *story, Error *err);       // story_counting.c: exercises 1 to 3
bool tell_storing(const Story *story, Error *err);        // story_keeping.c: 4 and 5
bool tell_remembering(const Story *story, Error *err);    // 6 to 8
bool tell_training(const Story *story, Error *err);       // story_training.c: 9 and 10
bool tell_answering(const Story *story, Error *err);      // story_speed.c: 11 and 12
bool tell_budget(const Story *story, Error *err);         // 13
