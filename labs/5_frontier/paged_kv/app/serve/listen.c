#include "labs/5_frontier/paged_kv/app/serve/listen.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

typedef union Address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
} Address;

static bool address_read(const char *text, int port, Address *address, socklen_t *bytes, Error *err)
{
    if (strcmp(text, "localhost") == 0) text = "127.0.0.1";
    *address = (Address){.v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)}};
    *bytes = sizeof address->v6;
    if (inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1) return true;
    *address = (Address){.v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)}};
    *bytes = sizeof address->v4;
    if (inet_pton(AF_INET, text, &address->v4.sin_addr) == 1) return true;
    return error_set(err, "--host: '%.64s' is no IP address; expected one like 127.0.0.1 or ::1",
                     text);
}

int listen_on(const char *host, int *port, Error *err)
{
    Address address;
    socklen_t bytes;
    int yes = 1;
    if (!address_read(host, *port, &address, &bytes, err)) return -1;
    int listener = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    // A port whose last connections are still dying may be taken over; one that is listened on may not.
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(listener, &address.any, bytes) != 0 || listen(listener, BACKLOG) != 0 ||
        getsockname(listener, &address.any, &bytes) != 0) {
        error_set(err, "%s, port %d: %s%s", host, *port, strerror(errno),
                  errno == EADDRINUSE ? "; name another one with --port, or 0 for a free one" : "");
        if (listener >= 0) close(listener);
        return -1;
    }
    *port = ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
    return listener;
}
