/* domain.h -- numbers for what keys and values depend on besides the tokens.
 *
 *     Domains domains = {0};
 *     sequence->domain = domain_find(&domains, (const char *[]){"smollm2", "adapter", "salt"}, 3);
 *     domains_free(&domains);
 *
 * Two lists have the same number only if all their texts are equal, in the same places: an adapter's name
 * is never taken for a cache salt (vLLM #44701).
 */
#pragma once

enum { DOMAINS_MAX = 4096 };

typedef struct Domains {
    char *names[DOMAINS_MAX];
    int count;
    int unique;    // domains without a name
} Domains;

// A NULL text differs from "". When the table is full or memory is out, the number is unique: such a
// request shares blocks with no other.
int domain_find(Domains *domains, const char *const *texts, int count);
void domains_free(Domains *domains);
