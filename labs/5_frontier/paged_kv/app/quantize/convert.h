/* convert.h -- a tensor's numbers from one type to another, some megabytes at a time, and what that loses.
 *
 *     Converter *c = converter_open(most_cols);
 *     Loss loss = {0};
 *     if (!convert(c, &plan.tensors[i], write_part, out, &loss, &err)) ...
 *     loss_rms(&loss)    // sqrt(sum (x - y)^2 / sum x^2)
 *     converter_close(c);
 *
 * Memory does not grow with the tensor. Numbers that the new type cannot hold are refused by the tensor's name.
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/quantize/plan.h"

typedef struct Loss {
    double squares, errors;    // sums of x^2 and of (x - y)^2
} Loss;
double loss_rms(const Loss *loss);    // relative; 0 where all is 0

typedef struct Converter Converter;
Converter *converter_open(const Plan *plan);
void converter_close(Converter *converter);    // NULL is fine

// Called with each part in turn; false ends it.
typedef bool WritePart(void *context, const void *bytes, size_t size);

// False without a message where `write` ended it (err->message is then empty).
bool convert(Converter *converter, const PlanTensor *tensor, WritePart *write, void *context,
             Loss *loss, Error *err);
