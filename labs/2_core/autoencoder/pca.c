#include "labs/2_core/autoencoder/pca.h"
#include <cblas.h>
#include <lapacke.h>
#include <stdlib.h>
#include "common/error.h"
#include "kernels/kernels.h"

enum { CHUNK = 512 };    // images that are widened to double at a time

// covariance [P,P] (upper half) and mean [P] of the pixels, in units of 0..1.
static void covariance(double *cov, double *mean, const Images *images)
{
    int pixels = images->height * images->width, n = images->count;
    double *chunk = malloc(sizeof *chunk * CHUNK * (size_t)pixels);
    REQUIRE(chunk != NULL, "no memory for %d images of %d pixels", CHUNK, pixels);
    for (int p = 0; p < pixels; p++) mean[p] = 0;
    for (int i = 0; i < n; i++)
        for (int p = 0; p < pixels; p++)
            mean[p] += images->pixels[(size_t)i * (size_t)pixels + (size_t)p] / (255.0 * n);
    for (int first = 0; first < n; first += CHUNK) {
        int rows = n - first < CHUNK ? n - first : CHUNK;
        for (int r = 0; r < rows; r++)
            for (int p = 0; p < pixels; p++)
                chunk[(size_t)r * (size_t)pixels + (size_t)p] =
                    images->pixels[(size_t)(first + r) * (size_t)pixels + (size_t)p] / 255.0 -
                    mean[p];
        cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, pixels, rows, 1.0 / n, chunk, pixels,
                    first == 0 ? 0.0 : 1.0, cov, pixels);
    }
    free(chunk);
}

Pca pca_fit(Arena *keep, const Images *train, int code)
{
    int pixels = train->height * train->width;
    REQUIRE(code >= 1 && code <= pixels, "a code of %d numbers; expected 1 to %d", code, pixels);
    REQUIRE(train->count > 0, "no images to fit");
    size_t square = (size_t)pixels * (size_t)pixels, wanted = (size_t)code * (size_t)pixels;
    double *cov = malloc(sizeof *cov * square), *mean = malloc(sizeof *mean * (size_t)pixels),
           *values = malloc(sizeof *values * (size_t)pixels),
           *vectors = malloc(sizeof *vectors * wanted);
    int *support = malloc(sizeof *support * 2 * (size_t)code), found = 0;
    REQUIRE(cov && mean && values && vectors && support, "no memory for a covariance of %d pixels",
            pixels);

    covariance(cov, mean, train);
    // Column-major sees our upper half as the lower one; vectors then stand in rows of ours.
    int info =
        LAPACKE_dsyevr(LAPACK_COL_MAJOR, 'V', 'I', 'L', pixels, cov, pixels, 0, 0,
                       pixels - code + 1, pixels, 0, &found, values, vectors, pixels, support);
    REQUIRE(info == 0 && found == code, "dsyevr found %d of %d eigenvectors (info %d)", found, code,
            info);

    float *floats = malloc(sizeof *floats * wanted);
    REQUIRE(floats != NULL, "no memory for %d components", code);
    Pca pca = {tensor_new(keep, SHAPE(1, pixels)), tensor_new(keep, SHAPE(code, pixels))};
    for (int p = 0; p < pixels; p++) floats[p] = (float)mean[p];
    tensor_write(pca.mean, floats);
    for (int z = 0; z < code; z++)    // dsyevr orders from small to large
        for (int p = 0; p < pixels; p++)
            floats[(size_t)z * (size_t)pixels + (size_t)p] =
                (float)vectors[(size_t)(code - 1 - z) * (size_t)pixels + (size_t)p];
    tensor_write(pca.components, floats);
    free(floats);
    free(cov), free(mean), free(values), free(vectors), free(support);
    return pca;
}

Tensor *pca_encode(Arena *step, const Pca *pca, const Tensor *x)
{
    int batch = x->shape.size[0], pixels = x->shape.size[1], code = pca->components->shape.size[0];
    Tensor *minus_mean = tensor_new(step, pca->mean->shape), *centred = tensor_new(step, x->shape);
    Tensor *z = tensor_new(step, SHAPE(batch, code));
    kernels.axpby(minus_mean->data, pca->mean->data, -1.0f, 0.0f, (size_t)pixels);
    kernels.add_row(centred->data, x->data, minus_mean->data, batch, pixels);
    matmul_nt(z->data, centred->data, pca->components->data, batch, code, pixels, 0.0f);
    return z;
}

Tensor *pca_reconstruct(Arena *step, const Pca *pca, const Tensor *x)
{
    int batch = x->shape.size[0], pixels = x->shape.size[1], code = pca->components->shape.size[0];
    Tensor *z = pca_encode(step, pca, x), *back = tensor_new(step, x->shape);
    matmul(back->data, z->data, pca->components->data, batch, pixels, code, 0.0f);
    kernels.add_row(back->data, back->data, pca->mean->data, batch, pixels);
    return back;
}
