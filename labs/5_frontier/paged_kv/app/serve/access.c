#include "labs/5_frontier/paged_kv/app/serve/access.h"
#include <string.h>
#include <strings.h>
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

bool access_check_origin(const char *origin, Refusal *refusal)
{
    return origin == NULL || access_is_own_origin(origin) ||
           refuse(refusal, 403, "", "a web page of another host needs an API key here");
}

bool access_check_key(const char *authorization, const char *key, Refusal *refusal)
{
    if (authorization != NULL && strncasecmp(authorization, "Bearer ", 7) == 0 &&
        access_key_equals(authorization + 7, key))
        return true;
    refuse(refusal, 401, "", "expected the API key: \"Authorization: Bearer KEY\"");
    refusal->code = "invalid_api_key";
    return false;
}
