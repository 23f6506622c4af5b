/* The web page's server, through a socket of this machine: what it answers, and what it refuses. */
#include "labs/5_frontier/key_numbers/app/output/serve.h"
#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <cmocka.h>
#include "common/text.h"
#include "labs/5_frontier/key_numbers/app/report/report.h"
#include "labs/5_frontier/key_numbers/app/model/open.h"
#include "labs/5_frontier/key_numbers/app/output/json.h"

enum { REPLY_MAX = 4 << 20, ASKED_MAX = 16384 };

static Server *server;
static int port;
static Arena *arena;
static char *reply;    // the last answer, with its head

static const char model_name[] = "meta-llama/Llama-3.1-8B";

static int open_server(void **state)
{
    Error err = {""};
    (void)state;
    arena = arena_new("test", 64u << 20);
    reply = malloc(REPLY_MAX);
    server = server_open("127.0.0.1", 0, SERVER_SECONDS, &err);
    if (server == NULL) print_error("%s\n", err.message);
    if (server == NULL || reply == NULL) return -1;
    return sscanf(server_url(server), "http://127.0.0.1:%d/", &port) == 1 ? 0 : -1;
}

static int close_server(void **state)
{
    (void)state;
    server_close(server);
    free(reply);
    arena_free(arena);
    return 0;
}

// ---- a client ----

static int dial(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct timeval patience = {.tv_sec = 20};
    int line = socket(AF_INET, SOCK_STREAM, 0);
    inet_pton(AF_INET, "127.0.0.1", &at.sin_addr);
    assert_true(line >= 0);
    setsockopt(line, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(line, (struct sockaddr *)&at, sizeof at), 0);
    return line;
}

static void say(int line, const void *bytes, size_t count)
{
    for (const char *at = bytes; count > 0;) {
        ssize_t sent = send(line, at, count, MSG_NOSIGNAL);
        if (sent <= 0) return;    // a server that has heard enough may hang up
        at += sent, count -= (size_t)sent;
    }
}

// Reads to the end and returns the status.
static int hear(int line)
{
    size_t have = 0;
    for (ssize_t got = 1; got > 0 && have<REPLY_MAX - 1; have += got> 0 ? (size_t)got : 0)
        got = recv(line, reply + have, REPLY_MAX - 1 - have, 0);
    reply[have] = '\0';
    close(line);
    int status = 0;
    if (sscanf(reply, "HTTP/1.1 %d", &status) != 1) fail_msg("no answer: '%.80s'", reply);
    return status;
}

static int request(const char *method, const char *target, const char *host, const char *body)
{
    static char head[ASKED_MAX];
    int line = dial();
    int size =
        snprintf(head, sizeof head,
                 "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
                 method, target, host, strlen(body));
    assert_true(size < ASKED_MAX);
    say(line, head, (size_t)size);
    say(line, body, strlen(body));
    return hear(line);
}

static int get(const char *target)
{
    return request("GET", target, "localhost", "");
}

static const char *body(void)
{
    const char *blank = strstr(reply, "\r\n\r\n");
    assert_non_null(blank);
    return blank + 4;
}

static void has_header(const char *line)
{
    const char *at = strstr(reply, line);
    if (at == NULL || at > body()) fail_msg("no header '%s' in\n%.600s", line, reply);
}

static cJSON *tree_of(const char *text)
{
    cJSON *tree = cJSON_Parse(text);
    if (tree == NULL) fail_msg("no JSON: '%.200s'", text);
    return tree;
}

// The answer is {"error": a sentence with these words}.
static void is_sentence(const char *words)
{
    cJSON *tree = tree_of(body());
    const char *error = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(tree, "error"));
    if (error == NULL || strstr(error, words) == NULL)
        fail_msg("expected a sentence with '%s', got '%.300s'", words, body());
    assert_int_equal(cJSON_GetArraySize(tree), 1);
    cJSON_Delete(tree);
}

static void refuses(const char *target, const char *words)
{
    int status = get(target);
    if (status != 400) fail_msg("%.200s: status %d, expected 400: %.300s", target, status, reply);
    is_sentence(words);
}

static double number_at(const cJSON *tree, const char *object, const char *field)
{
    const cJSON *item =
        cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(tree, object), field);
    assert_true(cJSON_IsNumber(item));
    return item->valuedouble;
}

// ---- the page ----

static void page_loads_nothing_from_outside(void **state)
{
    (void)state;
    assert_int_equal(get("/"), 200);
    has_header("Content-Type: text/html");
    has_header("Content-Security-Policy: default-src 'self'");
    has_header("Cross-Origin-Resource-Policy: same-origin");
    has_header("Cache-Control: no-store");
    assert_non_null(strstr(body(), "</html>"));
    assert_null(strstr(body(), "src=\"http"));
    assert_null(strstr(body(), "href=\"http"));
}

static void an_unknown_path_is_404(void **state)
{
    (void)state;
    const char *const targets[] = {"/no-such-page", "/answer/", "//", "/../../etc/passwd",
                                   "/%2e%2e/answer"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        assert_int_equal(get(targets[i]), 404);
        is_sentence("no such page");
    }
}

static void only_get_is_answered_and_a_config_may_be_posted(void **state)
{
    (void)state;
    assert_int_equal(request("PUT", "/answer", "localhost", "{}"), 405);
    has_header("Allow: GET");
    is_sentence("expected GET");
    assert_int_equal(request("DELETE", "/", "localhost", ""), 405);
    assert_int_equal(request("POST", "/", "localhost", "{}"), 405);
    assert_int_equal(request("POST", "/models", "localhost", "{}"), 405);
}

static void a_host_with_a_name_of_its_own_is_refused(void **state)
{
    (void)state;
    const char *const own[] = {"localhost",   "localhost:8020", "LOCALHOST",
                               "127.0.0.1:1", "[::1]:8020",     "192.168.1.7"};
    const char *const others[] = {
        "evil.example", "127.0.0.1.evil.example",    "localhost.evil.example:80",
        "[::1",         "localhost:80@evil.example", ""};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (request("GET", "/settings", own[i], "") != 200) fail_msg("%s: %.200s", own[i], reply);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (request("GET", "/settings", others[i], "") != 403)
            fail_msg("%s: %.200s", others[i], reply);
}

// ---- invalid requests ----

static void a_malformed_query_gets_one_sentence(void **state)
{
    (void)state;
    refuses("/answer?model=a%2", "two hexadecimal digits");
    refuses("/answer?model=a%zz", "two hexadecimal digits");
    refuses("/answer?model=a%00b", "0x00");
    refuses("/answer?model=%ff%fe", "0xff");
    refuses("/answer?model", "expected NAME=VALUE");
    refuses("/answer?=3", "expected NAME=VALUE");
    refuses("/answer?model=a&model=b", "given twice");
    refuses("/answer?model=a&micro_batch=1&micro-batch=2", "given twice");
    refuses("/settings?model=a", "'model' is no setting here");
}

static void a_wrong_setting_gets_one_sentence(void **state)
{
    char target[256];
    (void)state;
    static const struct {
        const char *setting, *words;
    } cases[] = {{"contxt=8k", "did you mean context?"},
                 {"context=-1", "context: '-1'"},
                 {"context=nan", "context: 'nan'"},
                 {"context=1e300", "context: '1e300'"},
                 {"context=", "context: ''"},
                 {"batch=0.5", "batch: '0.5'"},
                 {"zero=7", "zero: '7'"},
                 {"weights=q4_k_x", "q4_k_x"},
                 {"gpu=h1000", "h1000"},
                 {"flash=maybe", "flash: 'maybe'"},
                 {"explain=2", "explain: '2'"},
                 {"optimizer=adamx", "adamx"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        snprintf(target, sizeof target, "/answer?model=%s&%s", model_name, cases[i].setting);
        refuses(target, cases[i].words);
    }
    refuses("/answer", "model is missing");
    refuses("/answer?model=llama-9", "llama-9");
}

static void a_file_of_this_machine_is_never_opened(void **state)
{
    FILE *file = fopen("/tmp/kn_config.json", "w");
    (void)state;
    assert_non_null(file);
    fputs("{\"model_type\": \"secret\"}", file);
    fclose(file);
    const char *const targets[] = {"/answer?model=/tmp/kn_config.json", "/answer?model=/tmp",
                                   "/answer?model=.",
                                   "/answer?model=../../../../../../tmp/kn_config.json"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        assert_int_equal(get(targets[i]), 400);
        assert_null(strstr(body(), "secret"));
    }
    refuses("/answer?model=meta-llama/Llama-3.1-8B&gpu=/tmp/kn_config.json", "not in the table");
    refuses("/answer?model=meta-llama/Llama-3.1-8B&gpu=here", "not in the table");
    assert_int_equal(get("/answer?model=llama-3.1-8b&gpu=H200"), 200);    // as people write it
    refuses("/answers?model=meta-llama/Llama-3.1-8B&sweep=gpu=h100-sxm,/tmp/"
            "kn_config.json&paths=inference.fits",
            "not in the table");
    unlink("/tmp/kn_config.json");
}

static void an_overlong_url_is_refused(void **state)
{
    static char target[ASKED_MAX];
    (void)state;
    size_t length = (size_t)snprintf(target, sizeof target, "/answer?model=");
    memset(target + length, 'a', 4097 - length);
    refuses(target, "more than 4096 bytes");
    memset(target + length, 'a', 12000);
    assert_int_equal(get(target), 400);
}

// ---- answers ----

static void answer_is_that_of_the_command_line(void **state)
{
    Error err;
    Question question = question_default();
    (void)state;
    assert_int_equal(
        get("/answer?model=meta-llama%2FLlama-3.1-8B&context=128k&batch=4&weights=q4_k_m&gpu=l40s"),
        200);
    has_header("Content-Type: application/json");
    const Model *model = model_open(arena, model_name, &err);
    assert_non_null(model);
    assert_true(question_set(&question, arena, "context", "131072", &err) &&
                question_set(&question, arena, "batch", "4", &err) &&
                question_set(&question, arena, "weights", "q4_k_m", &err) &&
                question_set(&question, arena, "gpu", "l40s", &err) &&
                question_settle(&question, arena, &err));
    const Rows *rows = report_of(arena, model, &question, &err);
    if (rows == NULL) fail_msg("%s", err.message);
    cJSON *got = tree_of(body()), *expected = tree_of(rows_json(rows));
    assert_true(cJSON_Compare(got, expected, true));
    // The published integer, so that both are not wrong together.
    assert_true(number_at(got, "parameters", "total") == 8030261248.0);
    cJSON_Delete(got);
    cJSON_Delete(expected);
}

static void explain_gives_each_formula_and_its_numbers(void **state)
{
    (void)state;
    assert_int_equal(get("/answer?model=meta-llama/Llama-3.1-8B&explain=1"), 200);
    cJSON *tree = tree_of(body()), *explain = cJSON_GetObjectItemCaseSensitive(tree, "explain");
    cJSON *row = cJSON_GetObjectItemCaseSensitive(explain, "kv_cache.bytes_per_token");
    assert_non_null(row);
    const char *filled = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, "filled"));
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, "text"));
    assert_true(filled != NULL && strstr(filled, "32") != NULL);
    assert_true(text != NULL &&
                strstr(text, "131,072 B") != NULL);    // 32 layers x 2 x 8 x 128 x 2 bytes
    assert_true(cJSON_IsString(cJSON_GetObjectItemCaseSensitive(row, "formula")));
    assert_true(cJSON_IsString(cJSON_GetObjectItemCaseSensitive(row, "label")));
    cJSON_Delete(tree);
}

static void answers_are_the_single_ones_in_a_row(void **state)
{
    (void)state;
    assert_int_equal(get("/answers?model=meta-llama/Llama-3.1-8B&sweep=context=1k..128k"
                         "&paths=inference.per_gpu.cache_bytes,inference.per_gpu.total_bytes,"
                         "compute.decode.seconds_per_token"),
                     200);
    cJSON *tree = tree_of(body()), *series = cJSON_GetObjectItemCaseSensitive(tree, "series");
    cJSON *values = cJSON_GetObjectItemCaseSensitive(tree, "values");
    assert_int_equal(cJSON_GetArraySize(values), 8);
    for (int i = 0; i < 8; i++) {
        char target[256];
        snprintf(target, sizeof target, "/answer?model=%s&context=%s", model_name,
                 cJSON_GetStringValue(cJSON_GetArrayItem(values, i)));
        assert_int_equal(get(target), 200);
        cJSON *one = tree_of(body()),
              *inference = cJSON_GetObjectItemCaseSensitive(one, "inference");
        const char *const parts[] = {"cache_bytes", "total_bytes"};
        const char *const paths[] = {"inference.per_gpu.cache_bytes",
                                     "inference.per_gpu.total_bytes"};
        for (int p = 0; p < 2; p++) {
            const cJSON *point =
                cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(series, paths[p]), i);
            assert_true(cJSON_IsNumber(point) &&
                        point->valuedouble == number_at(inference, "per_gpu", parts[p]));
        }
        cJSON_Delete(one);
    }
    cJSON_Delete(tree);
    refuses("/answers?model=meta-llama/Llama-3.1-8B&paths=inference.per_gpu.cache_bytes",
            "expected SETTING=");
    refuses("/answers?model=meta-llama/Llama-3.1-8B&sweep=context=1k..2k", "paths is missing");
    refuses("/answers?model=meta-llama/Llama-3.1-8B&sweep=context=1k..2k&paths=inference.x",
            "no quantity");
}

static void lists_are_those_of_the_calculator(void **state)
{
    const CatalogueEntry *entries;
    Error err;
    (void)state;
    assert_int_equal(get("/settings"), 200);
    cJSON *settings = tree_of(body());
    assert_int_equal(cJSON_GetArraySize(settings), question_field_count);
    for (int i = 0; i < question_field_count; i++) {
        const cJSON *name =
            cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(settings, i), "name");
        assert_string_equal(cJSON_GetStringValue(name), question_fields[i].name);
    }
    cJSON_Delete(settings);
    assert_int_equal(get("/models"), 200);
    cJSON *models = tree_of(body());
    assert_int_equal(cJSON_GetArraySize(models), catalogue_list(arena, &entries, &err));
    cJSON_Delete(models);
    const char *const lists[] = {"/gpus", "/formats"};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(get(lists[i]), 200);
        cJSON *list = tree_of(body());
        assert_true(cJSON_GetArraySize(list) > 20);
        cJSON_Delete(list);
    }
}

// ---- a configuration that comes with the request ----

static const char config[] =
    "{\"model_type\": \"llama\", \"hidden_size\": 4096, \"intermediate_size\": 14336, "
    "\"vocab_size\": 128256,"
    " \"num_hidden_layers\": 32, \"num_attention_heads\": 32, \"num_key_value_heads\": 8,"
    " \"max_position_embeddings\": 131072, \"tie_word_embeddings\": false, \"torch_dtype\": "
    "\"bfloat16\"}";

static void a_posted_config_is_answered_like_a_name(void **state)
{
    (void)state;
    assert_int_equal(request("POST", "/answer?context=8k", "localhost", config), 200);
    cJSON *tree = tree_of(body());
    assert_true(number_at(tree, "parameters", "total") == 8030261248.0);
    cJSON_Delete(tree);
}

static void an_invalid_posted_config_gets_one_sentence(void **state)
{
    static const struct {
        const char *config, *words;
    } cases[] = {{"{", "JSON"},
                 {"[]", "JSON object"},
                 {"{} x", "JSON"},
                 {"", "model is missing"},
                 {"{\"model_type\": \"xyz\"}", "xyz"},
                 {"{\"model_type\": \"llama\", \"hidden_size\": -1}", "hidden_size"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(request("POST", "/answer", "localhost", cases[i].config), 400);
        is_sentence(cases[i].words);
    }
    assert_int_equal(request("POST", "/answer?model=llama-3.1-8b", "localhost", config), 400);
    is_sentence("not both");

    size_t deep = 10000, large = (1 << 22) + 1;
    char *text = malloc(large + 1);
    assert_non_null(text);
    memset(text, '[', deep), text[deep] = '\0';
    assert_int_equal(request("POST", "/answer", "localhost", text), 400);
    is_sentence("JSON");
    memset(text, ' ', large), text[large] = '\0';
    assert_int_equal(request("POST", "/answer", "localhost", text), 400);
    is_sentence("more than 4194304 bytes");
    // MiniMax-M3-NVFP4 lists its experts in 2.4 MB.
    memcpy(text + 2500000, config, strlen(config) + 1);
    assert_int_equal(request("POST", "/answer", "localhost", text), 200);
    free(text);
}

static void a_reply_is_utf8_whatever_was_posted(void **state)
{
    // The second and third would be cut within a character, where a message shows the beginning.
    static const char *const bodies[] = {
        "\xff\xfe\xc0",
        "{\"model_type\": "
        "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xe2\x82\xac\"}",
        "{\"model_type\": \"llama\", \"hidden_size\": 64, \"num_hidden_layers\": 1, "
        "\"torch_dtype\":"
        " \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xe2\x82\xac\"}",
        "{\"model_type\": \"a\xc0\xaf\"}", "{\"model_type\": \"\xed\xa0\x80\"}"};
    static const int statuses[] = {400, 400, 200, 400, 400};
    (void)state;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        assert_int_equal(request("POST", "/answer", "localhost", bodies[i]), statuses[i]);
        for (const char *at = body(); *at != '\0';) {
            size_t length = text_utf8_length(at, strlen(at));
            if (length == 0) fail_msg("no UTF-8: %.200s", body());
            at += length;
        }
        cJSON_Delete(tree_of(body()));
    }
    assert_int_equal(request("POST", "/answer", "localhost", "{\"a\": NaN}"), 400);
    is_sentence("NaN is not valid JSON");
}

// ---- many at once, and none at all ----

static void a_silent_connection_blocks_no_other(void **state)
{
    static const char begun[] =
        "POST /answer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{";
    int lines[8];
    (void)state;
    for (int i = 0; i < 8; i++) {
        lines[i] = dial();
        say(lines[i], begun, strlen(begun));
    }
    assert_int_equal(get("/settings"), 200);
    for (int i = 0; i < 8; i++) close(lines[i]);
    for (int i = 0; i < 100; i++) assert_int_equal(get("/settings"), 200);    // no place was lost
}

// More than there are slots: silent ones, and ones that never end their headers or their body.
static void slow_connections_lock_no_one_out(void **state)
{
    static const char *const begun[] = {
        "", "GET /set", "GET /settings HTTP/1.1\r\nHost: localhost\r\nX: ",
        "POST /answer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{"};
    enum { SLOW = 600 };
    int lines[SLOW];
    (void)state;
    for (int i = 0; i < SLOW; i++) {
        lines[i] = dial();
        say(lines[i], begun[i % 4], strlen(begun[i % 4]));
        if (i % 20 == 0) assert_int_equal(get("/settings"), 200);
    }
    for (int i = 0; i < 20; i++) assert_int_equal(get("/settings"), 200);
    for (int i = 0; i < SLOW; i++) close(lines[i]);
}

// Each byte is in time for what only looks at silence; the request as a whole is not.
static void a_request_that_trickles_in_is_ended(void **state)
{
    static const char *const begun[] = {
        "", "GET /settings HTTP/1.1\r\nHost: localhost\r\nX: ",
        "POST /answer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000\r\n\r\n"};
    Error err;
    int before = port;
    (void)state;
    Server *hasty = server_open("127.0.0.1", 0, 1, &err);
    assert_non_null(hasty);
    assert_int_equal(sscanf(server_url(hasty), "http://127.0.0.1:%d/", &port), 1);
    for (int i = 0; i < 3; i++) {
        int line = dial(), sent = 0;
        char byte;
        say(line, begun[i], strlen(begun[i]));
        while (recv(line, &byte, 1, MSG_DONTWAIT) < 0 && sent++ < 100) {
            say(line, "a", 1);
            usleep(100000);
        }
        if (sent >= 100) fail_msg("'%s' was never closed", begun[i]);
        close(line);
    }
    server_close(hasty);
    port = before;
}

static void a_connection_is_kept_alive(void **state)
{
    static const char asked[] = "GET /answer?model=x HTTP/1.1\r\nHost: localhost\r\n\r\n"
                                "GET /no HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    (void)state;
    int line = dial();
    say(line, asked, sizeof asked - 1);
    assert_int_equal(hear(line), 400);
    assert_non_null(strstr(reply + 12, "HTTP/1.1 404"));
}

static void malformed_http_is_survived(void **state)
{
    static const char *const noise[] = {"\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01\x02\x00\x01",
                                        "GET / HTTP/9.9\r\n\r\n",
                                        "GET /answer?%%%%=%%% HTTP/1.1\r\n\r\n"};
    (void)state;
    for (size_t i = 0; i < sizeof noise / sizeof *noise; i++) {
        int line = dial();
        say(line, noise[i], strlen(noise[i]));
        shutdown(line, SHUT_WR);
        while (recv(line, reply, REPLY_MAX, 0) > 0) continue;
        close(line);
    }
    assert_int_equal(get("/settings"), 200);
}

static void a_port_in_use_is_one_sentence(void **state)
{
    Error err;
    (void)state;
    assert_null(server_open("127.0.0.1", port, 1, &err));
    assert_non_null(strstr(err.message, "Address already in use; name another one with --port"));
    assert_null(server_open("example.com", 0, 1, &err));
    assert_non_null(strstr(err.message, "'example.com' is no IP address"));
    assert_null(server_open("192.0.2.1", 0, 1, &err));    // of no machine: RFC 5737
    assert_non_null(strstr(err.message, "192.0.2.1, port 0: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(page_loads_nothing_from_outside),
        cmocka_unit_test(an_unknown_path_is_404),
        cmocka_unit_test(only_get_is_answered_and_a_config_may_be_posted),
        cmocka_unit_test(a_host_with_a_name_of_its_own_is_refused),
        cmocka_unit_test(a_malformed_query_gets_one_sentence),
        cmocka_unit_test(a_wrong_setting_gets_one_sentence),
        cmocka_unit_test(a_file_of_this_machine_is_never_opened),
        cmocka_unit_test(an_overlong_url_is_refused),
        cmocka_unit_test(answer_is_that_of_the_command_line),
        cmocka_unit_test(explain_gives_each_formula_and_its_numbers),
        cmocka_unit_test(answers_are_the_single_ones_in_a_row),
        cmocka_unit_test(lists_are_those_of_the_calculator),
        cmocka_unit_test(a_posted_config_is_answered_like_a_name),
        cmocka_unit_test(an_invalid_posted_config_gets_one_sentence),
        cmocka_unit_test(a_silent_connection_blocks_no_other),
        cmocka_unit_test(slow_connections_lock_no_one_out),
        cmocka_unit_test(a_request_that_trickles_in_is_ended),
        cmocka_unit_test(a_reply_is_utf8_whatever_was_posted),
        cmocka_unit_test(a_connection_is_kept_alive),
        cmocka_unit_test(malformed_http_is_survived),
        cmocka_unit_test(a_port_in_use_is_one_sentence),
    };
    return cmocka_run_group_tests(tests, open_server, close_server);
}
