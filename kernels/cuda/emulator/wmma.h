/* wmma.h -- warp matrix fragments (mma.h): 16x16x16, half or bfloat16 operands, float or half sums.
 *
 * A lane holds 8 of the 256 elements: which ones is the emulator's own choice, as it is each GPU's.
 * Sums are in float, in the order of k; a tensor core's order is its own.
 *
 * Loads and stores wait for the warp's lanes before they access memory, and not after it: who reads what another lane
 * has stored needs __syncwarp() or a barrier between. Reported are an address that is no multiple of 32, rows that are no
 * multiple of 16 bytes, and lanes that do not agree (CUDA C++ Programming Guide, "Warp Matrix Functions").
 */
#pragma once

namespace nvcuda
{
namespace wmma
{
struct matrix_a;
struct matrix_b;
struct accumulator;
struct row_major;
struct col_major;
enum layout_t { mem_row_major, mem_col_major };

template <class Use, int M, int N, int K, class T, class Layout = void> class fragment
{
    static_assert(M == 16 && N == 16 && K == 16, "the emulator has fragments of 16 x 16 x 16");

  public:
    enum { num_elements = 8 };
    T x[num_elements];
};

// Element e of lane l is number 32 e + (l XOR 21) of the tile, row by row: a lane that reads its neighbour's place after
// a store without __syncwarp() reads what another lane has stored.
enum { LANES_EXCHANGED = 21 };
template <class T, class F> __forceinline__ void each_element(T *x, F place)
{
    const unsigned lane = emulator::lane_id() ^ LANES_EXCHANGED;
    for (unsigned e = 0; e < 8; e++) place(x[e], (32 * e + lane) / 16, (32 * e + lane) % 16);
}

template <class F, class T> __forceinline__ void fill_fragment(F &fragment, T value)
{
    for (auto &x : fragment.x) x = value;
}

template <class Use, class T, class Layout>
__forceinline__ void load_matrix_sync(fragment<Use, 16, 16, 16, T, Layout> &f, const T *from,
                                      unsigned stride)
{
    emulator::reach_matrix(from, stride, sizeof(T), "load_matrix_sync");
    constexpr bool columns = __is_same(Layout, col_major);
    each_element(f.x, [=](T &x, unsigned row, unsigned column) {
        x = columns ? from[column * stride + row] : from[row * stride + column];
    });
}

template <class T>
__forceinline__ void load_matrix_sync(fragment<accumulator, 16, 16, 16, T> &f, const T *from,
                                      unsigned stride, layout_t layout)
{
    emulator::reach_matrix(from, stride, sizeof(T), "load_matrix_sync");
    each_element(f.x, [=](T &x, unsigned row, unsigned column) {
        x = layout == mem_col_major ? from[column * stride + row] : from[row * stride + column];
    });
}

template <class T>
__forceinline__ void store_matrix_sync(T *to, const fragment<accumulator, 16, 16, 16, T> &f,
                                       unsigned stride, layout_t layout)
{
    emulator::reach_matrix(to, stride, sizeof(T), "store_matrix_sync");
    each_element(f.x, [=](const T &x, unsigned row, unsigned column) {
        (layout == mem_col_major ? to[column * stride + row] : to[row * stride + column]) = x;
    });
}

template <class D, class A, class B, class C> struct Product : emulator::WarpOperation {
    D *d;
    const A *a;
    const B *b;
    const C *c;

    Product(D *d_, const A *a_, const B *b_, const C *c_)
        : WarpOperation{all, "mma_sync", false}, d(d_), a(a_), b(b_), c(c_)
    {
    }

    static void all(emulator::WarpOperation *const *lanes, unsigned mask)
    {
        if (!emulator::whole_warp(mask)) return;
        float a[16][16], b[16][16], sum[16][16];
        for (unsigned i = 0; i < 256; i++) {
            const auto *lane = static_cast<Product *>(lanes[i % 32 ^ LANES_EXCHANGED]);
            a[i / 16][i % 16] = (float)lane->a->x[i / 32];
            b[i / 16][i % 16] = (float)lane->b->x[i / 32];
            sum[i / 16][i % 16] = (float)lane->c->x[i / 32];
        }
        for (unsigned i = 0; i < 16; i++)
            for (unsigned k = 0; k < 16; k++)
                for (unsigned j = 0; j < 16; j++) sum[i][j] += a[i][k] * b[k][j];
        for (unsigned i = 0; i < 256; i++)
            static_cast<Product *>(lanes[i % 32 ^ LANES_EXCHANGED])->d->x[i / 32] =
                sum[i / 16][i % 16];
    }
};

// d = a b + c
template <class T, class S, class LayoutA, class LayoutB>
__forceinline__ void mma_sync(fragment<accumulator, 16, 16, 16, S> &d,
                              const fragment<matrix_a, 16, 16, 16, T, LayoutA> &a,
                              const fragment<matrix_b, 16, 16, 16, T, LayoutB> &b,
                              const fragment<accumulator, 16, 16, 16, S> &c)
{
    Product<fragment<accumulator, 16, 16, 16, S>, fragment<matrix_a, 16, 16, 16, T, LayoutA>,
            fragment<matrix_b, 16, 16, 16, T, LayoutB>, fragment<accumulator, 16, 16, 16, S>>
        operation(&d, &a, &b, &c);
    emulator::converge(0xffffffff, &operation);
}
}    // namespace wmma
}    // namespace nvcuda
