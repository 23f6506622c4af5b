/* serve_none.c -- in place of serve.c where libmicrohttpd was not found at build time. */
#include "common/error.h"

int main(void)
{
    return error_print("there is no server, because this was built without libmicrohttpd; install "
                       "libmicrohttpd-dev and build again");
}
