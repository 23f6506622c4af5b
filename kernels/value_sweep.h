/* value_sweep.h -- a synchronous sweep of value iteration over packed states (Sutton & Barto 2018, section 4.4).
 *
 *     kernels.value_sweep(to, &change, from, rows, columns, reward, weight, next, slices);
 *
 * VALUE_SLICE states lie side by side, each in a lane: sliced ELLPACK (Monakov et al. 2010), so that neighbouring
 * threads or lanes of a vector read neighbouring numbers. Row r of a slice, rows[slice] <= r < rows[slice + 1], is an
 * action of each of its states, at least one; column c of a row, columns[r] <= c < columns[r + 1], an outcome of each.
 *
 *     reward [rows,VALUE_SLICE]      expected; -infinity where a state has no such action, 0 where it has none at all
 *     weight [columns,VALUE_SLICE]   probability times discount; 0 where padded
 *     next   [columns,VALUE_SLICE]   the state that follows; where padded, one whose value stays 0
 *     to, from [slices + 1,VALUE_SLICE]; the last slice is left alone
 *
 * Sums run over the columns in order, so that the bits are the same on every device. A NaN is never the maximum.
 * `cpu` has ref's loop: on the host the lab mdp sweeps by vectors of its own (labs/2_core/mdp/solve/sweeper.c).
 */
#pragma once

enum { VALUE_SLICE = 16 };
