/* matmul.cu -- c[b,i,j] = beta c[b,i,j] + sum_p a[b,i,p] b[b,p,j].
 *
 * Naive: a thread reads a row of a and a column of b, 2 k numbers for one of c. The other one reads each
 * number from global memory once for a whole square of c's (product.cuh).
 */
#include "kernels/cuda/each.cuh"
#include "kernels/cuda/product.cuh"

static __device__ float element(Mat x, size_t batch, size_t row, size_t col)
{
    return x.data[batch * x.batch + row * x.row + col * x.col];
}

void cuda_matmul_naive(float *c, size_t c_row, size_t c_batch, Mat a, Mat b, int batch, int m,
                       int n, int k, float beta)
{
    for_each((size_t)batch * m * n, [=] __device__(size_t at) {
        const size_t s = at / n / m, i = at / n % m, j = at % n;
        float sum = 0;
        for (int p = 0; p < k; p++) sum += element(a, s, i, p) * element(b, s, p, j);
        float *out = c + s * c_batch + i * c_row + j;
        *out = blend(beta, out, sum);
    });
}

struct Dense {
    bool a_down, b_down;
    float *c;
    size_t c_row, c_batch;
    Mat a_of, b_of;
    float beta;

    __device__ float a(size_t batch, int i, int p) const
    {
        return element(a_of, batch, i, p);
    }
    __device__ float b(size_t batch, int p, int j) const
    {
        return element(b_of, batch, p, j);
    }
    __device__ void store(size_t batch, int i, int j, float sum) const
    {
        float *out = c + batch * c_batch + i * c_row + j;
        *out = blend(beta, out, sum);
    }
};

void cuda_matmul(float *c, size_t c_row, size_t c_batch, Mat a, Mat b, int batch, int m, int n,
                 int k, float beta)
{
    multiply((size_t)batch, m, n, k,
             Dense{a.row < a.col, b.row < b.col, c, c_row, c_batch, a, b, beta});
}
