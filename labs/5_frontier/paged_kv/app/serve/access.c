#include "labs/5_frontier/paged_kv/app/serve/access.h"
#include <string.h>
#include "common/address.h"

bool access_key_equals(const char *given, const char *key)
{
    const size_t count = strlen(given), expected = strlen(key);
    size_t differs = count ^ expected;
    for (size_t i = 0; i < count; i++)
        differs |= (size_t)(given[i] ^ key[expected > 0 ? i % expected : 0]);
    return differs == 0;
}

bool access_is_own_origin(const char *origin)
{
    const char *host = strstr(origin, "://");
    return host != NULL && address_is_nameless(host + 3);
}
