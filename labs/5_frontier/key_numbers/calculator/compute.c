// stub
#include "labs/5_frontier/key_numbers/calculator/compute.h"
double compute_forward(const Model *m, uint64_t s, Positions p) { (void)m, (void)s, (void)p; return 0; }
bool compute_speed(Arena *a, const Model *m, const Question *q, Speed *s, Error *err) { (void)a, (void)m, (void)q, (void)s; return error_set(err, "compute.c is not written yet"); }
bool compute_tell(Sheet *s, const Model *m, const Question *q, Error *err) { (void)s, (void)m, (void)q; return error_set(err, "compute.c is not written yet"); }
