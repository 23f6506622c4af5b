/* address.h -- IP addresses of this machine: to listen on, and as browsers name them.
 *
 *     Listener listener;
 *     if (!address_listen(&listener, "127.0.0.1", 0, &err)) ...
 *     puts(listener.url);           // "http://127.0.0.1:41234/"
 *     close(listener.socket);       // the caller's
 */
#pragma once
#include <stdbool.h>
#include "common/error.h"

typedef struct Listener {
    int socket;
    char url[80];
} Listener;

// On an IP address or localhost; port 0 picks a free one, which the URL names.
bool address_listen(Listener *listener, const char *address, int port, Error *err);

// Whether a Host as HTTP has it ("127.0.0.1:8080", "[::1]", "localhost") is localhost or an IP address. A page of a
// site with a name of its own has that name, wherever the name leads to (DNS rebinding).
bool address_is_nameless(const char *host);
