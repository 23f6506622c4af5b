/* nearest.h -- "did you mean": the name that takes the fewest edits.
 *
 *     const char *names[] = {"run", "list", "doctor"};
 *     nearest("docter", names, 3);    // "doctor"
 *     nearest("xyz", names, 3);       // NULL: too far from all of them
 */
#pragma once

// One of `names`, or NULL when none is within a third of its own length (and at least one edit).
const char *nearest(const char *word, const char *const *names, int count);
// The same within two edits: of long names a third is another name.
const char *nearest_typo(const char *word, const char *const *names, int count);
