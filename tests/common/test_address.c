#include "common/address.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "tests/cases.h"
#include "tests/skip.h"

// Connects to the port that a URL names.
static void assert_reached(const char *url)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atoi(strrchr(url, ':') + 1))};
    inet_pton(AF_INET, "127.0.0.1", &at.sin_addr);
    const int client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&at, sizeof at), 0);
    close(client);
}

static void a_free_port_is_found_and_named(void **state)
{
    (void)state;
    static const char *const addresses[] = {"127.0.0.1", "localhost"};
    for (int i = 0; i < 2; i++) {
        Listener listener;
        Error err = {""};
        if (!address_listen(&listener, addresses[i], 0, &err)) fail_msg("%s", err.message);
        char expected[80];
        snprintf(expected, sizeof expected, "http://%s:%d/", addresses[i],
                 atoi(strrchr(listener.url, ':') + 1));
        assert_string_equal(listener.url, expected);
        assert_reached(listener.url);
        close(listener.socket);
    }
}

static void an_address_of_version_6_is_in_brackets(void **state)
{
    (void)state;
    Listener listener;
    Error err;
    if (!address_listen(&listener, "::1", 0, &err))
        SKIP("no IP version 6 on this machine", "./lab test on one that has it");
    assert_memory_equal(listener.url, "http://[::1]:", 13);
    close(listener.socket);
}

static void what_cannot_be_listened_on_is_refused_in_a_sentence(void **state)
{
    (void)state;
    Listener first, second;
    Error err = {""};
    static const char *const names[] = {"", "example.com", "127.0.0.1:80", "127.1", "[::1]", "::g"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_false(address_listen(&first, names[i], 0, &err));
        assert_non_null(strstr(err.message, "' is no IP address; expected one like 127.0.0.1"));
    }
    assert_true(address_listen(&first, "127.0.0.1", 0, &err));
    assert_false(address_listen(&second, "127.0.0.1", atoi(strrchr(first.url, ':') + 1), &err));
    assert_non_null(strstr(err.message, "name another one with --port, or 0 for a free one"));
    close(first.socket);
    assert_false(address_listen(&first, "203.0.113.1", 0, &err));    // no machine's: RFC 5737
    assert_non_null(strstr(err.message, "203.0.113.1, port 0: "));
}

static void a_host_without_a_name_is_known(void **state)
{
    (void)state;
    static const char *const nameless[] = {"localhost",  "LocalHost:8080", "127.0.0.1",
                                           "10.0.0.1:1", "[::1]",          "[2001:db8::1]:80"};
    static const char *const named[] = {"",
                                        "example.com",
                                        "localhost.example.com",
                                        "127.0.0.1.example.com",
                                        "localhost:80x",
                                        "localhost/",
                                        "::1",
                                        "[::1",
                                        "[::1]x",
                                        "[localhost]",
                                        "127.0.0.1@example.com",
                                        "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111"};
    for (size_t i = 0; i < sizeof nameless / sizeof *nameless; i++)
        if (!address_is_nameless(nameless[i])) fail_msg("%s has a name", nameless[i]);
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (address_is_nameless(named[i])) fail_msg("%s has no name", named[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_free_port_is_found_and_named),
        cmocka_unit_test(an_address_of_version_6_is_in_brackets),
        cmocka_unit_test(what_cannot_be_listened_on_is_refused_in_a_sentence),
        cmocka_unit_test(a_host_without_a_name_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
