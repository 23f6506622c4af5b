/* lab.h -- what the parts of the story share: options, data, models and their trainings. */
#pragma once
#include "common/layers.h"
#include "common/story.h"
#include "common/training.h"
#include "labs/2_core/rnn/dates.h"
#include "labs/2_core/rnn/model.h"
#include "labs/2_core/rnn/names.h"
#include "labs/2_core/rnn/recurrent.h"
#include "labs/2_core/rnn/text.h"

// Addresses for what a user's sizes ask for; what is not touched is not used.
#define ROOM ((size_t)64 << 30)

// The adding problem: two numbers of T are marked, what is their sum?
typedef struct Adder {
    Recurrent cell;
    Linear out;    // of the last state
    Training training;
} Adder;

// Sequence to sequence: Elman cells read from both ends, a GRU with attention writes.
typedef struct Translator {
    Tensor *source, *target;    // embeddings [V,E]
    Recurrent encoder[2], decoder;
    Linear mixed;    // of the decoder's state beside what attention brings
    Linear context;
    Linear out;
    Training training;
} Translator;

typedef struct Lab {
    // Options.
    int length, adding_steps;                             // of the adding problem
    int layers, hidden, context, batch, steps, tokens;    // of the character model
    int name_steps, date_steps;
    float learning_rate, clip, dropout, temperature;
    const char *cell, *ops;

    Run *run;
    Arena *keep, *step;
    Session session;
    Adder adders[CELL_KINDS];
    Text text;
    Model model;
    Training characters;
    Names names;
    NameSamples name_samples[2];    // training and validation
    Model namer;
    Training naming;
    Dates dates[2];
    Translator translator;
} Lab;

// Each part's models and trainings; false with a message.
void adding_plan(Lab *lab);
bool characters_plan(Lab *lab, Error *err);
bool names_plan(Lab *lab, Error *err);
void dates_plan(Lab *lab);

// The parts. Each has random streams of its own, so that leaving one out changes none of the others.
bool part_gradient(void *lab, Error *err);
bool part_adding(void *lab, Error *err);
bool part_characters(void *lab, Error *err);
bool part_names(void *lab, Error *err);
bool part_dates(void *lab, Error *err);
