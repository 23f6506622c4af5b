/* sweep_pictures.h -- a sweep as pictures and a page: each device's roofline with every kernel as a point, and from
 * which size on another device is faster than the first.
 *
 *     sweep_show(&sweep, "out/bench", "svg", "./lab bench --device cpu,cuda");
 *     // out/bench/roofline-cpu.svg, roofline-cuda-0.svg, crossing-kernels.svg, ..., report.html
 */
#pragma once
#include "bench/crossing.h"
#include "bench/sweep.h"

// Draws all that there is and prints where each file is, or why it is not. `format`: one of PLOT_FORMATS.
void sweep_show(const Sweep *sweep, const char *folder, const char *format, const char *command);

// From which size on the device is faster than the first: of the rows of one subject.
Crossing sweep_crossing(const Sweep *sweep, const Subject *subject, int d, bool transfers);

// The row of this subject's largest size; NULL where none was timed.
const SweepRow *sweep_largest(const Sweep *sweep, const Subject *subject);
