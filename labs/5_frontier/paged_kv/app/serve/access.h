/* access.h -- who may ask: an API key, or a web page of this machine. */
#pragma once
#include "labs/5_frontier/paged_kv/app/serve/refusal.h"

// In a time that depends on the length of `given` alone.
bool access_key_equals(const char *given, const char *key);

// Whether a page's Origin is localhost or an IP address (common/address.h).
bool access_is_own_origin(const char *origin);

// Of a request's headers, which may be NULL. False, and why.
bool access_check_origin(const char *origin, Refusal *refusal);
bool access_check_key(const char *authorization, const char *key, Refusal *refusal);
