// stub
#include "labs/5_frontier/key_numbers/model/open.h"
Model *catalogue_model(Arena *a, const char *n, Error *err) { (void)a, (void)n; error_set(err, "catalogue.c is not written yet"); return NULL; }
int catalogue_list(Arena *a, const CatalogueEntry **e, Error *err) { (void)a, (void)e; error_set(err, "catalogue.c is not written yet"); return -1; }
bool catalogue_recognise(Model *m, const cJSON *c, Error *err) { (void)m, (void)c, (void)err; return true; }
