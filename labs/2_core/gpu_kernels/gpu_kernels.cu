/* gpu_kernels.cu -- the kernels of the ladder; gpu_kernels.h says what each promises. */
#include "labs/2_core/gpu_kernels/gpu_kernels.h"

// ---- memory that lies side by side ----

__global__ void gk_vector_add(float *c, const float *a, const float *b, int n)
{
    // solution vector_add
    const int stride = gridDim.x * blockDim.x;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride) c[i] = a[i] + b[i];
    // end vector_add
}

__global__ void gk_transpose_naive(float *y, const float *x, int rows, int cols)
{
    // solution transpose_naive
    const int c = blockIdx.x * TILE + threadIdx.x, r = blockIdx.y * ROWS + threadIdx.y;
    if (r < rows && c < cols) y[c * rows + r] = x[r * cols + c];
    // end transpose_naive
}

__global__ void gk_transpose_tiled(float *y, const float *x, int rows, int cols)
{
    // solution transpose_tiled
    __shared__ float tile[TILE][TILE];
    const int row = blockIdx.y * TILE, col = blockIdx.x * TILE, lane = threadIdx.x;
    for (int i = threadIdx.y; i < TILE; i += ROWS)
        if (row + i < rows && col + lane < cols) tile[i][lane] = x[(row + i) * cols + col + lane];
    __syncthreads();
    for (int i = threadIdx.y; i < TILE; i += ROWS)
        if (col + i < cols && row + lane < rows) y[(col + i) * rows + row + lane] = tile[lane][i];
    // end transpose_tiled
}

__global__ void gk_transpose_padded(float *y, const float *x, int rows, int cols)
{
    // solution transpose_padded
    // Rows of 33 words put a column of the tile into 32 banks.
    __shared__ float padded[TILE][TILE + 1];
    const int top = blockIdx.y * TILE, left = blockIdx.x * TILE, lane = threadIdx.x;
    for (int i = threadIdx.y; i < TILE; i += ROWS)
        if (top + i < rows && left + lane < cols)
            padded[i][lane] = x[(top + i) * cols + left + lane];
    __syncthreads();
    for (int i = threadIdx.y; i < TILE; i += ROWS)
        if (left + i < cols && top + lane < rows)
            y[(left + i) * rows + top + lane] = padded[lane][i];
    // end transpose_padded
}

// ---- sums of a block ----

__global__ void gk_reduce_tree(float *sums, const float *x, int n)
{
    // solution reduce_tree
    __shared__ float partial[REDUCE_THREADS];
    const int thread = threadIdx.x, at = blockIdx.x * REDUCE_THREADS + thread;
    partial[thread] = at < n ? x[at] : 0;
    __syncthreads();
    for (int half = REDUCE_THREADS / 2; half > 0; half /= 2) {
        if (thread < half) partial[thread] += partial[thread + half];
        __syncthreads();
    }
    if (thread == 0) sums[blockIdx.x] = partial[0];
    // end reduce_tree
}

__device__ float gk_block_sum(float x)
{
    // solution reduce_shuffle
    __shared__ float of_warp[32];
    for (int bits = 16; bits > 0; bits /= 2) x += __shfl_xor_sync(WHOLE_WARP, x, bits);
    if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = x;
    __syncthreads();
    float total = 0;
    for (unsigned warp = 0; warp < blockDim.x / 32; warp++) total += of_warp[warp];
    __syncthreads();    // before the next call writes
    return total;
    // end reduce_shuffle
}

// A grid of any size: its threads go through x in steps of their number.
__global__ void gk_reduce_shuffle(float *sums, const float *x, int n)
{
    float own = 0;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x)
        own += x[i];
    own = gk_block_sum(own);
    if (threadIdx.x == 0) sums[blockIdx.x] = own;
}

__global__ void gk_block_sum_twice(float *of_x, float *of_y, const float *x, const float *y)
{
    of_x[threadIdx.x] = gk_block_sum(x[threadIdx.x]);
    of_y[threadIdx.x] = gk_block_sum(y[threadIdx.x]);
}

// ---- rows ----

__global__ void gk_softmax_rows(float *y, const float *x, int cols)
{
    // solution softmax_rows
    __shared__ float max_of_warp[ROW_THREADS / 32];
    const float *row = x + blockIdx.x * cols;
    float *out = y + blockIdx.x * cols;
    float largest = -INFINITY, part = 0;
    for (int c = threadIdx.x; c < cols; c += ROW_THREADS) largest = fmaxf(largest, row[c]);
    for (int lanes = 16; lanes > 0; lanes /= 2)
        largest = fmaxf(largest, __shfl_xor_sync(WHOLE_WARP, largest, lanes));
    if (threadIdx.x % 32 == 0) max_of_warp[threadIdx.x / 32] = largest;
    __syncthreads();
    for (int w = 0; w < ROW_THREADS / 32; w++) largest = fmaxf(largest, max_of_warp[w]);
    for (int c = threadIdx.x; c < cols; c += ROW_THREADS) part += expf(row[c] - largest);
    const float whole = gk_block_sum(part);
    for (int c = threadIdx.x; c < cols; c += ROW_THREADS) out[c] = expf(row[c] - largest) / whole;
    // end softmax_rows
}

__global__ void gk_layer_norm(float *y, const float *x, const float *gamma, const float *beta,
                              float eps, int cols)
{
    // solution layer_norm
    const float *values = x + blockIdx.x * cols;
    float total = 0, squares = 0;
    for (int c = threadIdx.x; c < cols; c += ROW_THREADS) total += values[c];
    const float mean = gk_block_sum(total) / cols;
    for (int c = threadIdx.x; c < cols; c += ROW_THREADS)
        squares += (values[c] - mean) * (values[c] - mean);
    const float scale = rsqrtf(gk_block_sum(squares) / cols + eps);
    for (int c = threadIdx.x; c < cols; c += ROW_THREADS)
        y[blockIdx.x * cols + c] = gamma[c] * (values[c] - mean) * scale + beta[c];
    // end layer_norm
}

// ---- matrix products ----

__global__ void gk_matmul_naive(float *c, const float *a, const float *b, int m, int n, int k)
{
    // solution matmul_naive
    const int j = blockIdx.x * TILE + threadIdx.x, i = blockIdx.y * ROWS + threadIdx.y;
    if (i >= m || j >= n) return;
    float sum = 0;
    for (int p = 0; p < k; p++) sum += a[i * k + p] * b[p * n + j];
    c[i * n + j] = sum;
    // end matmul_naive
}

__global__ void gk_matmul_tiled(float *c, const float *a, const float *b, int m, int n, int k)
{
    // solution matmul_tiled
    __shared__ float of_a[SIDE][SIDE], of_b[SIDE][SIDE];
    const int ty = threadIdx.y, tx = threadIdx.x;
    const int i = blockIdx.y * SIDE + ty, j = blockIdx.x * SIDE + tx;
    float sum = 0;
    for (int p = 0; p < k; p += SIDE) {
        of_a[ty][tx] = i < m && p + tx < k ? a[i * k + p + tx] : 0;
        of_b[ty][tx] = p + ty < k && j < n ? b[(p + ty) * n + j] : 0;
        __syncthreads();
        for (int q = 0; q < SIDE; q++) sum += of_a[ty][q] * of_b[q][tx];
        __syncthreads();    // before the next tile replaces this one
    }
    if (i < m && j < n) c[i * n + j] = sum;
    // end matmul_tiled
}

__global__ void gk_matmul_blocked(float *c, const float *a, const float *b, int m, int n, int k)
{
    // solution matmul_blocked
    // a's tile is transposed: with one more word in a row its columns lie in different banks.
    __shared__ float tile_a[SIDE][BLOCKED + 1], tile_b[SIDE][BLOCKED];
    const int ty = threadIdx.y, tx = threadIdx.x, thread = ty * SIDE + tx;
    const int above = blockIdx.y * BLOCKED, left = blockIdx.x * BLOCKED;
    float sum[EACH][EACH] = {};
    for (int p = 0; p < k; p += SIDE) {
        for (int t = thread; t < BLOCKED * SIDE; t += SIDE * SIDE) {
            const int ra = t / SIDE, ca = t % SIDE, rb = t / BLOCKED, cb = t % BLOCKED;
            tile_a[ca][ra] = above + ra < m && p + ca < k ? a[(above + ra) * k + p + ca] : 0;
            tile_b[rb][cb] = p + rb < k && left + cb < n ? b[(p + rb) * n + left + cb] : 0;
        }
        __syncthreads();
        for (int q = 0; q < SIDE; q++) {
            float column[EACH], row[EACH];
            for (int e = 0; e < EACH; e++) column[e] = tile_a[q][ty + e * SIDE];
            for (int e = 0; e < EACH; e++) row[e] = tile_b[q][tx + e * SIDE];
            for (int u = 0; u < EACH; u++)
                for (int v = 0; v < EACH; v++) sum[u][v] += column[u] * row[v];
        }
        __syncthreads();
    }
    for (int u = 0; u < EACH; u++)
        for (int v = 0; v < EACH; v++) {
            const int i = above + ty + u * SIDE, j = left + tx + v * SIDE;
            if (i < m && j < n) c[i * n + j] = sum[u][v];
        }
    // end matmul_blocked
}

__global__ void gk_matmul_vectorized(float *c, const float *a, const float *b, int m, int n, int k)
{
    // solution matmul_vectorized
    __shared__ __align__(16) float as[SIDE][BLOCKED + 4], bs[SIDE][BLOCKED];
    const int ty = threadIdx.y, tx = threadIdx.x, thread = ty * SIDE + tx;
    const int row = blockIdx.y * BLOCKED, col = blockIdx.x * BLOCKED;
    const int ra = thread / 4, ca = thread % 4 * 4, rb = thread / 16, cb = thread % 16 * 4;
    float acc[4][4] = {};
    for (int p = 0; p < k; p += SIDE) {
        float4 four = make_float4(0, 0, 0, 0), next = make_float4(0, 0, 0, 0);
        if (row + ra < m && p + ca < k) four = *(const float4 *)&a[(row + ra) * k + p + ca];
        if (p + rb < k && col + cb < n) next = *(const float4 *)&b[(p + rb) * n + col + cb];
        as[ca][ra] = four.x, as[ca + 1][ra] = four.y;
        as[ca + 2][ra] = four.z, as[ca + 3][ra] = four.w;
        *(float4 *)&bs[rb][cb] = next;
        __syncthreads();
        for (int q = 0; q < SIDE; q++) {
            const float4 u = *(const float4 *)&as[q][4 * ty], v = *(const float4 *)&bs[q][4 * tx];
            const float left[4] = {u.x, u.y, u.z, u.w}, right[4] = {v.x, v.y, v.z, v.w};
            for (int i = 0; i < 4; i++)
                for (int j = 0; j < 4; j++) acc[i][j] += left[i] * right[j];
        }
        __syncthreads();
    }
    for (int e = 0; e < 4; e++)
        if (row + 4 * ty + e < m && col + 4 * tx < n)
            *(float4 *)&c[(row + 4 * ty + e) * n + col + 4 * tx] =
                make_float4(acc[e][0], acc[e][1], acc[e][2], acc[e][3]);
    // end matmul_vectorized
}

__global__ void gk_matmul_warp_tiled(float *c, const float *a, const float *b, int m, int n, int k)
{
    // solution matmul_warp_tiled
    __shared__ __align__(16) float slab_a[SIDE][BLOCKED + 4], slab_b[SIDE][BLOCKED];
    const int up = blockIdx.y * BLOCKED, side = blockIdx.x * BLOCKED, id = threadIdx.x;
    // Of the warp's tile a lane has four rows in each half, and four columns in each half.
    const int lane_row = id % 32 / 4 * 4;
    const int lane_col = id / 32 * (BLOCKED / WARP_TILES) + id % 4 * 4;
    float total[8][8] = {};
    for (int p = 0; p < k; p += SIDE) {
        for (int t = id; t < BLOCKED * SIDE / 4; t += WARP_TILES * 32) {
            const int ra = t / 4, ca = t % 4 * 4, rb = t / 16, cb = t % 16 * 4;
            float4 of_a = make_float4(0, 0, 0, 0), of_b = make_float4(0, 0, 0, 0);
            if (up + ra < m && p + ca < k) of_a = *(const float4 *)&a[(up + ra) * k + p + ca];
            if (p + rb < k && side + cb < n) of_b = *(const float4 *)&b[(p + rb) * n + side + cb];
            slab_a[ca][ra] = of_a.x, slab_a[ca + 1][ra] = of_a.y;
            slab_a[ca + 2][ra] = of_a.z, slab_a[ca + 3][ra] = of_a.w;
            *(float4 *)&slab_b[rb][cb] = of_b;
        }
        __syncthreads();
        for (int q = 0; q < SIDE; q++) {
            const float4 u0 = *(const float4 *)&slab_a[q][lane_row];
            const float4 u1 = *(const float4 *)&slab_a[q][lane_row + BLOCKED / 2];
            const float4 v0 = *(const float4 *)&slab_b[q][lane_col];
            const float4 v1 = *(const float4 *)&slab_b[q][lane_col + BLOCKED / WARP_TILES / 2];
            const float rows[8] = {u0.x, u0.y, u0.z, u0.w, u1.x, u1.y, u1.z, u1.w};
            const float cols[8] = {v0.x, v0.y, v0.z, v0.w, v1.x, v1.y, v1.z, v1.w};
            for (int i = 0; i < 8; i++)
                for (int j = 0; j < 8; j++) total[i][j] += rows[i] * cols[j];
        }
        __syncthreads();
    }
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 8; j += 4) {
            const int r = up + lane_row + i % 4 + i / 4 * (BLOCKED / 2);
            const int s = side + lane_col + j / 4 * (BLOCKED / WARP_TILES / 2);
            if (r < m && s < n)
                *(float4 *)&c[r * n + s] =
                    make_float4(total[i][j], total[i][j + 1], total[i][j + 2], total[i][j + 3]);
        }
    // end matmul_warp_tiled
}

__global__ void gk_matmul_tensor(float *c, const __half *a, const __half *b, int m, int n, int k)
{
    // solution matmul_tensor
    using namespace nvcuda::wmma;
    __shared__ __align__(32) __half half_a[2 * FRAGMENT][FRAGMENT], half_b[FRAGMENT][2 * FRAGMENT];
    __shared__ __align__(32) float result[2 * FRAGMENT][2 * FRAGMENT];
    const int down = blockIdx.y * 2 * FRAGMENT, right = blockIdx.x * 2 * FRAGMENT;
    const int wy = threadIdx.x / 32 / 2 * FRAGMENT, wx = threadIdx.x / 32 % 2 * FRAGMENT;
    fragment<matrix_a, 16, 16, 16, __half, row_major> left_side;
    fragment<matrix_b, 16, 16, 16, __half, row_major> right_side;
    fragment<accumulator, 16, 16, 16, float> sums;
    fill_fragment(sums, 0.0f);
    for (int p = 0; p < k; p += FRAGMENT) {
        for (int t = threadIdx.x; t < 2 * FRAGMENT * FRAGMENT; t += WARPS * 32) {
            const int ra = t / FRAGMENT, ca = t % FRAGMENT;
            const int rb = t / (2 * FRAGMENT), cb = t % (2 * FRAGMENT);
            half_a[ra][ca] = down + ra < m && p + ca < k ? a[(down + ra) * k + p + ca] : __half(0);
            half_b[rb][cb] =
                p + rb < k && right + cb < n ? b[(p + rb) * n + right + cb] : __half(0);
        }
        __syncthreads();
        load_matrix_sync(left_side, &half_a[wy][0], FRAGMENT);
        load_matrix_sync(right_side, &half_b[0][wx], 2 * FRAGMENT);
        mma_sync(sums, left_side, right_side, sums);
        __syncthreads();
    }
    store_matrix_sync(&result[wy][wx], sums, 2 * FRAGMENT, mem_row_major);
    __syncthreads();
    for (int t = threadIdx.x; t < 4 * FRAGMENT * FRAGMENT; t += WARPS * 32) {
        const int i = t / (2 * FRAGMENT), j = t % (2 * FRAGMENT);
        if (down + i < m && right + j < n) c[(down + i) * n + right + j] = result[i][j];
    }
    // end matmul_tensor
}

// ---- attention ----

__global__ void gk_flash_attention(float *out, const float *q, const float *k, const float *v,
                                   int T, int D)
{
    // solution flash_attention
    __shared__ float query[WARPS][WIDTH_MAX], key[32][WIDTH_MAX + 1], value[32][WIDTH_MAX];
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32, head = blockIdx.y * T * D;
    const int t = blockIdx.x * WARPS + warp, end = min(T, ((int)blockIdx.x + 1) * WARPS);
    for (int d = lane; d < D; d += 32) query[warp][d] = t < T ? q[head + t * D + d] : 0;
    float highest = -INFINITY, weight = 0, mixed[WIDTH_MAX / 32] = {};
    for (int first = 0; first < end; first += 32) {
        __syncthreads();    // all have read the tile before
        for (int i = threadIdx.x; i < 32 * D; i += WARPS * 32) {
            const bool inside = first + i / D < end;
            key[i / D][i % D] = inside ? k[head + first * D + i] : 0;
            value[i / D][i % D] = inside ? v[head + first * D + i] : 0;
        }
        __syncthreads();
        float score = 0;
        for (int d = 0; d < D; d++) score += query[warp][d] * key[lane][d];
        score = first + lane <= t ? score * rsqrtf((float)D) : -INFINITY;
        const float before = highest;
        highest = fmaxf(highest, score);
        for (int far = 16; far > 0; far /= 2)
            highest = fmaxf(highest, __shfl_xor_sync(WHOLE_WARP, highest, far));
        const float shrink = expf(before - highest), share = expf(score - highest);
        weight = weight * shrink + share;
        for (int e = 0; e < WIDTH_MAX / 32; e++) mixed[e] *= shrink;
        for (int s = 0; s < 32; s++) {
            const float of_s = __shfl_sync(WHOLE_WARP, share, s);
            for (int e = 0; e < WIDTH_MAX / 32; e++)
                if (lane + 32 * e < D) mixed[e] += of_s * value[s][lane + 32 * e];
        }
    }
    for (int far = 16; far > 0; far /= 2) weight += __shfl_xor_sync(WHOLE_WARP, weight, far);
    for (int e = 0; e < WIDTH_MAX / 32; e++)
        if (t < T && lane + 32 * e < D) out[head + t * D + lane + 32 * e] = mixed[e] / weight;
    // end flash_attention
}

__global__ void gk_paged_attention(float *out, const float *q, const float *keys,
                                   const float *values, const int *table, const int *lengths,
                                   int table_width, int D)
{
    // solution paged_attention
    __shared__ float peak[WARPS], mass[WARPS], part[WARPS][WIDTH_MAX];
    const int sequence = blockIdx.x, head = blockIdx.y, heads = gridDim.y;
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const float *mine = q + (sequence * heads + head) * D;
    float most = -INFINITY, total = 0, blend[WIDTH_MAX / 32] = {};
    // Each warp keeps an online softmax of its own tokens; its lanes lie along the width.
    for (int token = warp; token < lengths[sequence]; token += WARPS) {
        const int block = table[sequence * table_width + token / KV_BLOCK];
        const int at = ((block * KV_BLOCK + token % KV_BLOCK) * heads + head) * D;
        float product = 0;
        for (int d = lane; d < D; d += 32) product += mine[d] * keys[at + d];
        for (int step = 16; step > 0; step /= 2)
            product += __shfl_xor_sync(WHOLE_WARP, product, step);
        const float score = product * rsqrtf((float)D), old = most;
        most = fmaxf(most, score);
        const float shrink = expf(old - most), share = expf(score - most);
        total = total * shrink + share;
        for (int e = 0, d = lane; d < D; e++, d += 32)
            blend[e] = blend[e] * shrink + share * values[at + d];
    }
    if (lane == 0) peak[warp] = most, mass[warp] = total;
    for (int e = 0, d = lane; d < D; e++, d += 32) part[warp][d] = blend[e];
    __syncthreads();
    float top = -INFINITY, sum = 0;
    for (int w = 0; w < WARPS; w++) top = fmaxf(top, peak[w]);
    for (int w = 0; w < WARPS; w++) sum += mass[w] * expf(peak[w] - top);
    for (int d = threadIdx.x; d < D; d += WARPS * 32) {
        float joined = 0;
        for (int w = 0; w < WARPS; w++) joined += part[w][d] * expf(peak[w] - top);
        out[(sequence * heads + head) * D + d] = joined / sum;
    }
    // end paged_attention
}
