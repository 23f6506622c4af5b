#include "labs/5_frontier/key_numbers/app/output/serve.h"

// In place of serve.c where libmicrohttpd was not found at build time.
bool serve(const char *address, int port, Error *err)
{
    (void)address, (void)port;
    return error_set(err,
                     "--serve: there is no web page, because this was built without libmicrohttpd; "
                     "install libmicrohttpd-dev and build again");
}
