/* access.h -- who may ask: an API key, or a web page of this machine. */
#pragma once
#include <stdbool.h>

// In a time that depends on the length of `given` alone.
bool access_key_equals(const char *given, const char *key);

// Whether a page's Origin is localhost or an IP address. A page of a site with a name of its own has that name,
// wherever the name leads to (DNS rebinding).
bool access_is_own_origin(const char *origin);
