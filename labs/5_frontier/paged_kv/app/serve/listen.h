/* listen.h -- a socket that listens on an address of this machine. */
#pragma once
#include "common/error.h"

// An IP address or localhost; port 0 picks a free one, and *port says which. -1 and why.
int listen_on(const char *host, int *port, Error *err);
