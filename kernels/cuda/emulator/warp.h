/* warp.h -- what the 32 lanes of a warp do together: shuffles, votes, matches.
 *
 * Each lane waits for the lanes in its mask. The last to arrive completes the operation of all of them, and
 * then each continues. Lanes that have returned are not waited for. Reported are a lane that is not in its
 * own mask, lanes that wait with different masks or for different operations, a shuffle from a lane that is
 * not there, and a mask that names a lane which never comes.
 */
#pragma once

namespace emulator
{
struct WarpOperation {
    void (*complete)(WarpOperation *const *lanes,
                     unsigned mask);    // by the last lane; the same for all
    const char *name;
    bool orders_memory = false;    // as __syncwarp() does, and shuffles and votes do not
};

// Returns when complete() has run. A lane's own operation is lanes[lane].
EMULATOR_NOT_MERGED void converge(unsigned mask, WarpOperation *operation);
void lane_not_in_mask(unsigned lane,
                      unsigned from);    // reports a shuffle from a lane outside the mask
bool whole_warp(unsigned mask);          // reports it where it is not
unsigned lane_id();

template <class T> struct Shuffle : WarpOperation {
    T value, result;
    unsigned from;

    Shuffle(T value_, unsigned from_)
        : WarpOperation{all, "shuffle", false}, value(value_), from(from_)
    {
    }

    static void all(WarpOperation *const *lanes, unsigned mask)
    {
        for (unsigned i = 0; i < 32; i++) {
            if (!(mask >> i & 1)) continue;
            auto *mine = static_cast<Shuffle *>(lanes[i]);
            if (mask >> mine->from & 1) {
                mine->result = static_cast<Shuffle *>(lanes[mine->from])->value;
            } else {
                lane_not_in_mask(i, mine->from);
                memset(static_cast<void *>(&mine->result), 0xff, sizeof mine->result);
            }
        }
    }
};

template <class T> __forceinline__ T shuffle(unsigned mask, T value, unsigned from)
{
    Shuffle<T> operation(value, from);
    converge(mask, &operation);
    return operation.result;
}

struct Vote : WarpOperation {
    unsigned long long value;
    unsigned result;    // the lanes that said yes, or that brought the same value
    bool all;           // of those that have not returned

    Vote(unsigned long long value_, bool match)
        : WarpOperation{match ? matches : ballot, match ? "match" : "vote", false}, value(value_)
    {
    }
    static void ballot(WarpOperation *const *lanes, unsigned mask);
    static void matches(WarpOperation *const *lanes, unsigned mask);
};

__forceinline__ Vote vote(unsigned mask, unsigned long long value, bool match)
{
    Vote operation(value, match);
    converge(mask, &operation);
    return operation;
}

// The whole warp is about to load or store a tile; the same tile in all lanes, aligned, its rows as well.
EMULATOR_NOT_MERGED void reach_matrix(const void *at, unsigned stride, unsigned bytes,
                                      const char *function);

template <class T> unsigned long long bits_of(T value)
{
    unsigned long long bits = 0;
    memcpy(&bits, &value, sizeof value);
    return bits;
}
}    // namespace emulator

EMULATOR_NOT_MERGED void __syncwarp(unsigned mask = 0xffffffff);

// ---- shuffles, within segments of `width` lanes

template <class T> __forceinline__ T __shfl_sync(unsigned mask, T value, int from, int width = 32)
{
    const unsigned lane = emulator::lane_id(), base = lane & ~(unsigned)(width - 1);
    return emulator::shuffle(mask, value, base + ((unsigned)from & (unsigned)(width - 1)));
}

template <class T>
__forceinline__ T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32)
{
    const unsigned lane = emulator::lane_id(), from = lane ^ (unsigned)bits;
    return emulator::shuffle(mask, value,
                             from / (unsigned)width > lane / (unsigned)width ? lane : from);
}

template <class T>
__forceinline__ T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32)
{
    const unsigned lane = emulator::lane_id();
    return emulator::shuffle(mask, value, lane % (unsigned)width < by ? lane : lane - by);
}

template <class T>
__forceinline__ T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32)
{
    const unsigned lane = emulator::lane_id();
    return emulator::shuffle(mask, value,
                             lane % (unsigned)width + by >= (unsigned)width ? lane : lane + by);
}

// ---- votes and matches

__forceinline__ unsigned __ballot_sync(unsigned mask, int predicate)
{
    return emulator::vote(mask, predicate != 0, false).result;
}

__forceinline__ int __any_sync(unsigned mask, int predicate)
{
    return emulator::vote(mask, predicate != 0, false).result != 0;
}

__forceinline__ int __all_sync(unsigned mask, int predicate)
{
    return emulator::vote(mask, predicate != 0, false).all;
}

template <class T> __forceinline__ unsigned __match_any_sync(unsigned mask, T value)
{
    return emulator::vote(mask, emulator::bits_of(value), true).result;
}

template <class T> __forceinline__ unsigned __match_all_sync(unsigned mask, T value, int *equal)
{
    *equal = emulator::vote(mask, emulator::bits_of(value), true).all;
    return *equal ? mask : 0;
}

unsigned
__activemask();    // some of the lanes that are there: checked, the calling lane alone (warp.cpp)
