/* cuda_words.h -- what nvcc takes and the emulator does not, and what to write in its place.
 *
 *     const char *instead = cuda_instead("    add<<<8, 256>>>(c, a, b, n);");    // a sentence; NULL: nothing known
 */
#pragma once

const char *cuda_instead(const char *line);    // of code, or of a compiler's message about it
