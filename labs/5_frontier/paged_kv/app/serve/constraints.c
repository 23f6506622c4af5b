#include "labs/5_frontier/paged_kv/app/serve/constraints.h"
#include <stdlib.h>
#include <string.h>

enum { STATES_KEPT = 2000 };    // 1 kB each, and a bit for each token: beyond, it is not kept

struct KeptConstraint {
    char *schema;
    Constraint *constraint;
    const Grammar *grammar;
    int users;
    KeptConstraint *next;
};

static void drop(Constraints *c, KeptConstraint **at)
{
    // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there is an idle one
    KeptConstraint *kept = *at;
    *at = kept->next;
    constraint_close(kept->constraint);
    free(kept->schema);
    free(kept);
    c->idle--;
}

Constraint *constraints_use(Constraints *c, const char *schema, Grammar **grammar)
{
    KeptConstraint **at = &c->first;
    while (*at != NULL && strcmp((*at)->schema, schema) != 0) at = &(*at)->next;
    KeptConstraint *kept = *at;
    if (kept != NULL) *at = kept->next;
    else {
        kept = calloc(1, sizeof *kept);
        REQUIRE(kept != NULL, "no memory for a constraint");
        *kept = (KeptConstraint){.schema = strdup(schema), .grammar = *grammar};
        kept->constraint = constraint_new(*grammar, c->index);
        REQUIRE(kept->schema != NULL && kept->constraint != NULL, "no memory for a constraint");
        *grammar = NULL;
        c->idle++;
    }
    kept->next = c->first;
    c->first = kept;
    if (kept->users++ == 0) c->idle--;
    return kept->constraint;
}

void constraints_return(Constraints *c, Constraint *constraint)
{
    KeptConstraint **at = &c->first;
    while ((*at)->constraint != constraint) at = &(*at)->next;
    if (--(*at)->users > 0) return;
    c->idle++;
    if (grammar_states((*at)->grammar) > STATES_KEPT) {
        drop(c, at);
        return;
    }
    // Of those without a user, the one that was used longest ago stands last.
    while (c->idle > CONSTRAINTS_IDLE) {
        KeptConstraint **oldest = NULL;
        for (KeptConstraint **p = &c->first; *p != NULL; p = &(*p)->next)
            if ((*p)->users == 0) oldest = p;
        drop(c, oldest);
    }
}

void constraints_free(Constraints *c)
{
    while (c->first != NULL) drop(c, &c->first);
}
