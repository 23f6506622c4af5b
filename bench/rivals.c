#include "bench/rivals.h"
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

// Declared here and not included: the libraries need not be there when this is compiled.
typedef void SgemmCblas(int order, int trans_a, int trans_b, int m, int n, int k, float alpha,
                        const float *a, int lda, const float *b, int ldb, float beta, float *c,
                        int ldc);
typedef void SgemmBlis(int trans_a, int trans_b, int64_t m, int64_t n, int64_t k,
                       const float *alpha, const float *a, int64_t row_a, int64_t column_a,
                       const float *b, int64_t row_b, int64_t column_b, const float *beta, float *c,
                       int64_t row_c, int64_t column_c);
typedef int SgemmDnnl(char trans_a, char trans_b, int64_t m, int64_t n, int64_t k, float alpha,
                      const float *a, int64_t lda, const float *b, int64_t ldb, float beta,
                      float *c, int64_t ldc);

MatrixProduct matrix_product_dense(MatrixProductKind kind, int m, int n, int k, float *c,
                                   const float *a, const float *b)
{
    return (MatrixProduct){.kind = kind,
                           .m = m,
                           .n = n,
                           .k = k,
                           .c = c,
                           .a = a,
                           .b = b,
                           .batch = 1,
                           .row_a = (size_t)(kind == PRODUCT_TN ? m : k),
                           .row_b = (size_t)(kind == PRODUCT_NT ? k : n),
                           .row_c = (size_t)n};
}

void rival_multiply(const Rival *rival, const MatrixProduct *product)
{
    MatrixProduct one = *product;
    for (int i = 0; i < product->batch; i++) {
        rival->multiply(rival, &one);
        one.a += product->batch_a;
        one.b += product->batch_b;
        one.c += product->batch_c;
    }
}

static void multiply_openblas(const Rival *rival, const MatrixProduct *p)
{
    enum { ROW_MAJOR = 101, NO_TRANS = 111, TRANS = 112 };
    bool ta = p->kind == PRODUCT_TN, tb = p->kind == PRODUCT_NT;
    ((SgemmCblas *)rival->sgemm)(ROW_MAJOR, ta ? TRANS : NO_TRANS, tb ? TRANS : NO_TRANS, p->m,
                                 p->n, p->k, 1.0f, p->a, (int)p->row_a, p->b, (int)p->row_b, 0.0f,
                                 p->c, (int)p->row_c);
}

// BLIS takes a stride for rows and one for columns: a transpose is the two exchanged.
static void multiply_blis(const Rival *rival, const MatrixProduct *p)
{
    bool ta = p->kind == PRODUCT_TN, tb = p->kind == PRODUCT_NT;
    float one = 1.0f, zero = 0.0f;
    int64_t a = (int64_t)p->row_a, b = (int64_t)p->row_b;
    ((SgemmBlis *)rival->sgemm)(0, 0, p->m, p->n, p->k, &one, p->a, ta ? 1 : a, ta ? a : 1, p->b,
                                tb ? 1 : b, tb ? b : 1, &zero, p->c, (int64_t)p->row_c, 1);
}

static void multiply_onednn(const Rival *rival, const MatrixProduct *p)
{
    bool ta = p->kind == PRODUCT_TN, tb = p->kind == PRODUCT_NT;
    ((SgemmDnnl *)rival->sgemm)(ta ? 'T' : 'N', tb ? 'T' : 'N', p->m, p->n, p->k, 1.0f, p->a,
                                (int64_t)p->row_a, p->b, (int64_t)p->row_b, 0.0f, p->c,
                                (int64_t)p->row_c);
}

static const char *version_openblas(Arena *keep, void *library)
{
    typedef const char *Text(void);
    Text *config = (Text *)dlsym(library, "openblas_get_config");
    Text *core = (Text *)dlsym(library, "openblas_get_corename");
    if (config == NULL || core == NULL) return "";
    const char *number = strchr(config(), ' ');    // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ..."
    number = number != NULL ? number + 1 : "";
    return arena_print(keep, "%.*s %s", (int)strcspn(number, " "), number, core());
}

static const char *version_blis(Arena *keep, void *library)
{
    typedef const char *Text(void);
    Text *version = (Text *)dlsym(library, "bli_info_get_version_str");
    return version != NULL ? arena_print(keep, "%s", version()) : "";
}

static const char *version_onednn(Arena *keep, void *library)
{
    typedef struct Version {    // the beginning of dnnl_version_t, the same in 1.x to 3.x
        int major, minor, patch;
    } Version;
    typedef const Version *Get(void);
    Get *version = (Get *)dlsym(library, "dnnl_version");
    if (version == NULL) return "";
    return arena_print(keep, "%d.%d.%d", version()->major, version()->minor, version()->patch);
}

void rivals_open(Arena *keep, Rival rivals[RIVAL_COUNT])
{
    static const struct {
        const char *name, *files[3], *sgemm, *set_threads;
        void (*multiply)(const Rival *rival, const MatrixProduct *product);
        const char *(*version)(Arena *keep, void *library);
    } known[RIVAL_COUNT] = {
        // in the order of RivalName
        {"OpenBLAS",
         {"libopenblas.so.0", "libopenblas.dylib"},
         "cblas_sgemm",
         "openblas_set_num_threads",
         multiply_openblas,
         version_openblas},
        {"BLIS",
         {"libblis.so.4", "libblis.dylib"},
         "bli_sgemm",
         "bli_thread_set_num_threads",
         multiply_blis,
         version_blis},
        {"oneDNN",
         {"libdnnl.so.3", "libdnnl.so.2", "libdnnl.dylib"},
         "dnnl_sgemm",
         NULL,
         multiply_onednn,
         version_onednn},
    };
    for (int i = 0; i < RIVAL_COUNT; i++) {
        void *library = NULL;
        for (int f = 0; f < 3 && library == NULL && known[i].files[f] != NULL; f++)
            library = dlopen(known[i].files[f], RTLD_NOW | RTLD_LOCAL);
        rivals[i] = (Rival){.name = known[i].name, .multiply = known[i].multiply};
        if (library != NULL) {
            rivals[i].version = known[i].version(keep, library);
            rivals[i].sgemm = dlsym(library, known[i].sgemm);
            if (known[i].set_threads != NULL)
                rivals[i].set_threads = dlsym(library, known[i].set_threads);
        }
        if (library == NULL)
            rivals[i].absent = arena_print(keep, "%s not found", known[i].files[0]);
        else if (rivals[i].sgemm == NULL)
            rivals[i].absent = arena_print(keep, "it lacks %s", known[i].sgemm);
    }
}

void rival_threads(const Rival *rival, int threads)
{
    // oneDNN asks OpenMP; BLIS alone takes a number of its own type, dim_t.
    if (rival->set_threads == NULL) return;
    if (rival->multiply == multiply_blis) ((void (*)(int64_t))rival->set_threads)(threads);
    else ((void (*)(int))rival->set_threads)(threads);
}

const char *rivals_text(Arena *keep, const Rival rivals[RIVAL_COUNT])
{
    const char *text = "";
    for (int i = 0; i < RIVAL_COUNT; i++) {
        const char *comma = i > 0 ? ", " : "";
        if (rivals[i].absent == NULL)
            text = arena_print(keep, "%s%s%s %s", text, comma, rivals[i].name, rivals[i].version);
        else
            text =
                arena_print(keep, "%s%sno %s (%s)", text, comma, rivals[i].name, rivals[i].absent);
    }
    return text;
}
