/* GPUs: the table against published figures and against the chips' own arithmetic; names, and files. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "labs/5_frontier/key_numbers/app/question/gpu_spec.h"
#include "tests/cases.h"

static Arena *arena;
static const GpuSpec *specs;
static int count;
static char path[] = "/tmp/card-XXXXXX.json";    // for the user's own GPUs

static int begin(void **state)
{
    Error err = {""};
    (void)state;
    int file = mkstemps(path, 5);
    if (file < 0 || close(file) != 0) return -1;
    arena = arena_new("test", 1u << 26);
    count = gpu_spec_list(arena, &specs, &err);
    if (count < 0) puts(err.message);
    return count < 0;
}

static int end(void **state)
{
    (void)state;
    arena_free(arena);
    return remove(path);
}

static GpuSpec found(const char *what)
{
    GpuSpec spec;
    Error err = {""};
    if (!gpu_spec_find(arena, what, &spec, &err)) fail_msg("%s", err.message);
    return spec;
}

static void is_near(const char *what, double got, double want, double share)
{
    if (!(fabs(got / want - 1) <= share))
        fail_msg("%s: got %g, want %g within %g %%", what, got, want, 100 * share);
}

static void refuses(const char *what, const char *sentence)
{
    GpuSpec spec;
    Error err = {""};
    assert_false(gpu_spec_find(arena, what, &spec, &err));
    if (strstr(err.message, sentence) == NULL)
        fail_msg("said \"%s\", expected \"%s\"", err.message, sentence);
}

// ---- the table ----

static void a_row_is_found_by_its_id_and_by_its_name(void **state)
{
    (void)state;
    assert_true(count >= 60);
    for (int i = 0; i < count; i++) {
        assert_string_equal(found(specs[i].id).id, specs[i].id);
        assert_string_equal(found(specs[i].name).id, specs[i].id);
        assert_string_not_equal(specs[i].vendor, "");
        for (int k = 0; k < i; k++) assert_string_not_equal(specs[k].id, specs[i].id);
    }
}

// What a program sees is near what is on the data sheet, on which "GB" may be 1e9 or 2^30 bytes.
static void a_rows_numbers_are_of_one_size(void **state)
{
    (void)state;
    for (int i = 0; i < count; i++) {
        const GpuSpec *c = &specs[i];
        is_near(c->id, c->memory, c->vendor_gb * 1e9, c->shared ? 0.35 : 0.09);
        assert_true(c->bf16 > 0 && c->bandwidth > 0);
        assert_true(c->bf16 / c->bandwidth > 5 &&
                    c->bf16 / c->bandwidth < 700);    // the ridge, FLOP/byte
        if (c->fp8 > 0) assert_true(c->fp8 == c->bf16 || fabs(c->fp8 / c->bf16 - 2) < 0.03);
        if (c->fp4 > 0) assert_true(c->fp4 >= 1.99 * c->fp8);
        if (c->watts > 0) assert_true(c->bf16 / c->watts < 4e12);
    }
}

// Those that the vendors' data sheets give, without sparsity. Ridge points of Williams' roofline: A100 156
// with 2000 GB/s, H100 295.
static void peaks_are_dense(void **state)
{
    (void)state;
    assert_true(found("h100").bf16 == 989e12 && found("h100").fp8 == 1979e12);
    assert_true(found("a100").bf16 == 312e12 && found("a100").fp8 == 0);
    assert_true(found("b200").bf16 == 2250e12 && found("b200").fp4 == 9000e12);
    assert_true(found("mi300x").bf16 == 1307e12);
    is_near("ridge of an H100", found("h100").bf16 / found("h100").bandwidth, 295, 0.005);
    is_near("ridge of an A100", found("a100").bf16 / found("a100").bandwidth, 153, 0.005);
    // The driver's formats, and which there are.
    GpuSpec t4 = found("Tesla T4"), h100 = found("h100"), a100 = found("a100");
    assert_false(t4.has_bf16);
    assert_true(gpu_spec_peak(&h100, 8) == h100.fp8 && gpu_spec_peak(&a100, 8) == a100.bf16);
    assert_true(gpu_spec_peak(&h100, 16) == h100.bf16 && gpu_spec_peak(&h100, 32) == h100.fp32);
}

static void eighty_gb_are_a_little_under_eighty_gib(void **state)
{
    (void)state;
    static const char *const eighty[] = {"h100-sxm", "h100-pcie", "a100-sxm-80", "a100-pcie-80"};
    for (size_t i = 0; i < sizeof eighty / sizeof *eighty; i++) {
        GpuSpec spec = found(eighty[i]);
        assert_true(spec.memory_measured && spec.memory < 80 * 0x1p30 && spec.memory > 79 * 0x1p30);
    }
    assert_true(!found("mi210").memory_measured && found("mi210").memory == 64e9);
}

// ---- a driver's answer ----

// What drivers say of GPUs in the table, under a name that is not there: processors, boost clock, memory
// clock and bus of TechPowerUp's database. Estimates are held against the vendors' peaks in the table.
static void clocks_give_the_published_peaks(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        Gpu gpu;
    } chips[] = {
        {"v100-sxm-16", {"V", 7, 0, 0, 80, 1530000, 877000, 4096, false}},
        {"t4", {"T", 7, 5, 0, 40, 1590000, 5001000, 256, false}},
        {"a100-sxm-80", {"A", 8, 0, 0, 108, 1410000, 1593000, 5120, false}},
        {"a10", {"A", 8, 6, 0, 72, 1695000, 6251000, 384, false}},
        {"rtx-3090", {"GeForce A", 8, 6, 0, 82, 1695000, 9751000, 384, false}},
        {"agx-orin-64", {"Orin", 8, 7, 0, 16, 1300000, 3200000, 256, true}},
        {"rtx-4090", {"GeForce B", 8, 9, 0, 128, 2520000, 10501000, 384, false}},
        {"l40s", {"L", 8, 9, 0, 142, 2520000, 9001000, 384, false}},
        {"h100-sxm", {"H", 9, 0, 0, 132, 1830000, 2619000, 5120, false}},
        {"b200", {"B", 10, 0, 0, 148, 1965000, 3996000, 7680, false}},
        {"rtx-5090", {"GeForce C", 12, 0, 0, 170, 2407000, 14001000, 512, false}},
        {"rtx-pro-6000", {"P", 12, 0, 0, 188, 2617000, 14001000, 512, false}},
        {"dgx-spark", {"S", 12, 1, 0, 48, 2540000, 4266000, 256, true}},
    };
    for (size_t i = 0; i < sizeof chips / sizeof *chips; i++) {
        GpuSpec row = found(chips[i].id), spec;
        Gpu gpu = chips[i].gpu;
        Error err = {""};
        gpu.bytes = (size_t)row.memory;
        assert_true(gpu_spec_of_device(arena, &gpu, &spec, &err));
        is_near(row.id, spec.bandwidth, row.bandwidth, 0.03);
        is_near(row.id, spec.bf16, row.bf16, 0.07);
        is_near(row.id, spec.fp32, row.fp32, 0.08);
        if (row.fp8 > 0) is_near(row.id, spec.fp8, row.fp8, 0.07);
        assert_true(spec.has_bf16 == row.has_bf16 && spec.shared == row.shared);
        assert_non_null(strstr(spec.note, "not in the table"));
    }
}

static void a_drivers_name_leads_to_its_row(void **state)
{
    (void)state;
    static const struct {
        const char *name, *id;
        double mib;
    } drivers[] = {
        {"NVIDIA H100 80GB HBM3", "h100-sxm", 81089},
        {"NVIDIA H100 PCIe", "h100-pcie", 81008},
        {"Tesla V100-SXM2-32GB", "v100-sxm-32", 32501},
        {"NVIDIA GeForce RTX 4060 Ti", "rtx-4060-ti-8", 7806},
        {"NVIDIA A100-SXM4-40GB", "a100-sxm-40", 40514},
        {"NVIDIA GeForce RTX 4060 Ti", "rtx-4060-ti-16", 15950},
        {"NVIDIA L40S", "l40s", 45589},
        {"NVIDIA GeForce RTX 4090", "rtx-4090", 24210},
    };
    for (size_t i = 0; i < sizeof drivers / sizeof *drivers; i++) {
        Gpu gpu = {.bytes = (size_t)(drivers[i].mib * 0x1p20)};
        GpuSpec spec, row = found(drivers[i].id);
        Error err = {""};
        snprintf(gpu.name, sizeof gpu.name, "%s", drivers[i].name);
        assert_true(gpu_spec_of_device(arena, &gpu, &spec, &err));
        assert_string_equal(spec.id, drivers[i].id);
        assert_true(spec.memory == drivers[i].mib * 0x1p20 && spec.bf16 == row.bf16);
        assert_string_equal(spec.name, drivers[i].name);
    }
    // A slice of an H100 has the name but not the memory, and this driver says no clock.
    Gpu slice = {.name = "NVIDIA H100 80GB HBM3", .bytes = 10u << 30};
    GpuSpec spec;
    Error err = {""};
    assert_false(gpu_spec_of_device(arena, &slice, &spec, &err));
    assert_non_null(strstr(err.message, "does not tell its memory's clock"));
}

static void without_a_gpu_here_is_one_sentence(void **state)
{
    (void)state;
    Gpu gpus[GPU_MAX];
    if (gpu_list(gpus) > 0) assert_true(found("here").memory == (double)gpus[0].bytes);
    else refuses("here", "gpu: there is no NVIDIA GPU here");
}

// ---- names ----

static void any_case_and_an_unambiguous_part_will_do(void **state)
{
    (void)state;
    assert_string_equal(found("H100-SXM").id, "h100-sxm");
    assert_string_equal(found("4090").id, "rtx-4090");
    assert_string_equal(found("geforce rtx 5090").id, "rtx-5090");
    assert_string_equal(found("NVIDIA L4").id, "l4");
    assert_string_equal(found("mi300").id, "mi300x");
    assert_string_equal(found("gb10").id, "dgx-spark");
    assert_null(found("4090").note);
    GpuSpec h100 = found("H100");
    assert_string_equal(h100.id, "h100-sxm");
    assert_non_null(
        strstr(h100.note, "'H100' is taken for h100-sxm; there are h100-pcie, h100-nvl, too"));
}

static void an_ambiguous_gpu_name_is_refused(void **state)
{
    (void)state;
    refuses("3", "gpu: '3' may be ");
    refuses("orin", "may be orin-nano-8, agx-orin-32, agx-orin-64: which?");
    refuses("", "gpu: '' is not in the table");
    refuses("---", "gpu: '---' is not in the table");
    refuses("h100-sxn", "gpu: 'h100-sxn' is not in the table; did you mean h100-sxm?");
    refuses("voodoo", "gpu: 'voodoo' is not in the table; --list gpus shows it");
    refuses("/nowhere/mine.json", "/nowhere/mine.json: No such file");
}

// ---- a file ----

static void write_file(const char *text)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void a_file_describes_a_gpu(void **state)
{
    (void)state;
    write_file("{\"memory_gb\": 48, \"bandwidth_gbs\": 1000.5}");
    GpuSpec spec = found(path);
    assert_string_equal(spec.name, path);
    assert_true(spec.memory == 48e9 && !spec.memory_measured && spec.bandwidth == 1000.5e9 &&
                spec.bf16 == 0);
    write_file("{\"name\": \"Mine\", \"memory_gb\": 48, \"seen_mib\": 45000, \"bandwidth_gbs\": "
               "900, \"bf16_tflops\": 181, "
               "\"fp8_tflops\": 362, \"has_bf16\": true, \"watts\": 300, \"link_gbs\": 32, "
               "\"source\": \"its box\"}");
    spec = found(path);
    assert_string_equal(spec.name, "Mine");
    assert_string_equal(spec.source, "its box");
    assert_true(spec.memory == 45000 * 0x1p20 && spec.memory_measured && spec.bf16 == 181e12 &&
                spec.link == 32e9);
}

static void a_files_mistake_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sentence;
    } mistakes[] = {
        {"{\"bandwidth_gbs\": 1000}", "\"memory_gb\" is missing, expected a number"},
        {"{\"memory_gb\": 48}", "\"bandwidth_gbs\" is missing, expected a number"},
        {"{\"memory_gb\": 48, \"bandwidth\": 1000}",
         "\"bandwidth\" is nothing that a GPU has here; did you mean"},
        {"{\"memory_gb\": 48, \"bandwidth_gbs\": 1000, \"Watts\": 5}",
         "\"Watts\" is nothing that a GPU has here"},
        {"{\"memory_gb\": \"48\", \"bandwidth_gbs\": 1000}", "\"memory_gb\" is not a number"},
        {"{\"memory_gb\": 0, \"bandwidth_gbs\": 1000}",
         "\"memory_gb\" is 0, expected 0.5 to 10000"},
        {"{\"memory_gb\": -48, \"bandwidth_gbs\": 1000}", "\"memory_gb\" is -48, expected"},
        {"{\"memory_gb\": 48, \"bandwidth_gbs\": 1e300}",
         "\"bandwidth_gbs\" is 1e+300, expected 1 to 1e+06"},
        {"{\"memory_gb\": 24, \"seen_mib\": 81559, \"bandwidth_gbs\": 1000}",
         "more than \"memory_gb\" 24 can be"},
        {"{\"memory_gb\": 48, \"bandwidth_gbs\": 1000, \"has_bf16\": 1}",
         "\"has_bf16\" is not true or false"},
        {"{\"memory_gb\": 48, \"bandwidth_gbs\": 1000, \"name\": 7}", "\"name\" is not a text"},
        {"{\"memory_gb\": 48, \"bandwidth_gbs\": 1000, \"also\": [7]}",
         "\"also\"[0] is not a text"},
        {"[1]", "holds no object"},
        {"", "is not JSON from here on"},
        {"{\"memory_gb\": nan}", "is not JSON from here on"},
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        write_file(mistakes[i].text);
        refuses(path, mistakes[i].sentence);
    }
    enum { DEEP = 10000 };
    char *deep = arena_alloc(arena, DEEP + 32);
    memcpy(deep, "{\"also\": ", 9);
    memset(deep + 9, '[', DEEP);
    deep[9 + DEEP] = '\0';
    write_file(deep);
    refuses(path, "is not JSON from here on");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_found_by_its_id_and_by_its_name),
        cmocka_unit_test(a_rows_numbers_are_of_one_size),
        cmocka_unit_test(peaks_are_dense),
        cmocka_unit_test(eighty_gb_are_a_little_under_eighty_gib),
        cmocka_unit_test(clocks_give_the_published_peaks),
        cmocka_unit_test(a_drivers_name_leads_to_its_row),
        cmocka_unit_test(without_a_gpu_here_is_one_sentence),
        cmocka_unit_test(any_case_and_an_unambiguous_part_will_do),
        cmocka_unit_test(an_ambiguous_gpu_name_is_refused),
        cmocka_unit_test(a_file_describes_a_gpu),
        cmocka_unit_test(a_files_mistake_is_named),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
