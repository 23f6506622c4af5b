#include "labs/5_frontier/paged_kv/app/serve/access.h"
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

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
    char name[INET6_ADDRSTRLEN];
    struct in6_addr address;
    const char *host = strstr(origin, "://");
    if (host == NULL) return false;
    host += 3;
    const bool v6 = host[0] == '[';
    host += v6;
    const size_t length = strcspn(host, v6 ? "]" : ":/");
    if (v6 && host[length] == '\0') return false;
    if (length >= sizeof name || (v6 && strchr(":/", host[length + 1]) == NULL)) return false;
    memcpy(name, host, length);
    name[length] = '\0';
    return inet_pton(v6 ? AF_INET6 : AF_INET, name, &address) == 1 ||
           (!v6 && strcasecmp(name, "localhost") == 0);
}
