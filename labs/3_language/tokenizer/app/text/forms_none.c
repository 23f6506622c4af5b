#include "labs/3_language/tokenizer/app/text/normalize.h"

FormFunction *form_find(const char *name, Error *err)
{
    error_set(err,
              "the normalizer '%s' needs utf8proc, and this was built without it (package "
              "libutf8proc-dev: ./lab setup)",
              name);
    return NULL;
}
