/* constraints.h -- the constraints of JSON schemas, kept: a schema that comes again has its masks already.
 *
 *     Constraint *constraint = constraints_use(&constraints, schema, &grammar);
 *     constraints_return(&constraints, constraint);
 *     constraints_free(&constraints);
 *
 * One thread. A few of the latest are kept, those in use in any case.
 */
#pragma once
#include "labs/5_frontier/paged_kv/app/sampling/constraint.h"

enum { CONSTRAINTS_IDLE = 8 };    // kept without a user

typedef struct KeptConstraint KeptConstraint;

typedef struct Constraints {
    const TokenIndex *index;
    KeptConstraint *first;    // the latest
    int idle;
} Constraints;

// Takes the grammar, or leaves it where it is not needed.
Constraint *constraints_use(Constraints *constraints, const char *schema, Grammar **grammar);
void constraints_return(Constraints *constraints, Constraint *constraint);
void constraints_free(Constraints *constraints);    // none is in use
