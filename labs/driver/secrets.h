/* secrets.h -- finds lines of a lab's solutions in files that a learner reads before solving.
 *
 *     Secrets secrets = secrets_collect(arena, lab, &reference);
 *     for (const Secret *s = NULL; (s = secrets_find(arena, &secrets, s, 0, hint)) != NULL;)
 *         puts(s->line);
 *
 * Lines are compared without blanks and comments, so that formatting does not hide a match. Lines that
 * reveal nothing are ignored: those shorter than 16 characters without blanks ("return sum / n;"). So
 * is the head of a loop; what it does on the same line is not.
 */
#pragma once
#include "labs/driver/source.h"

typedef struct Secret {
    int exercise;
    const char *line, *bare;    // as it stands, and without blanks and heads of loops
} Secret;

typedef struct Secrets {
    Secret *secret;
    int count;
} Secrets;

Secrets secrets_collect(Arena *arena, const Lab *lab, const Source *reference);

// The next that the text holds, after `last` (NULL: the first), of an exercise that is not among the
// first `solved`. A line that one of those contains too does not count: the learner has written it.
const Secret *secrets_find(Arena *arena, const Secrets *secrets, const Secret *last, int solved,
                           const char *text);
