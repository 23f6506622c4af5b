/* keys.h -- reads single keys, and restores the terminal whatever happens.
 *
 *     Keys keys;
 *     keys_open(&keys);
 *     for (int key; (key = keys_wait(&keys, 0.02)) != 'q' && key != KEYS_END;) ...
 *     keys_close(&keys);
 *     return keys.signal > 0 ? 128 + keys.signal : 0;
 *
 * Standard input may be a pipe as well: its bytes are keys. Arrows and other keys that send a sequence
 * are ignored. Ctrl-Z stops the program and restores the terminal, `fg` resumes. Only one at a time in
 * a process, since signal handlers belong to the process.
 */
#pragma once
#include <stdbool.h>
#include <signal.h>
#include <termios.h>

enum {
    KEYS_NONE = 0,     // timeout, or a child has ended
    KEYS_END = 256,    // Ctrl-C or another signal that ends programs: `signal`
    KEYS_OVER,         // end of input, returned once
    KEYS_DRAW,         // the window was resized, or the program is in the foreground again
};

typedef struct Keys {
    bool terminal, raw, over;
    int signal;         // that ended it; 0: none
    int sequence;       // how far into one we are
    int count, next;    // of the bytes that were read and not yet returned
    unsigned char bytes[64];
    struct termios before;
    sigset_t mask;    // of signals, before
} Keys;

void keys_open(Keys *keys);
void keys_close(Keys *keys);

// A letter in lower case, or one of the above, after `seconds` at most.
int keys_wait(Keys *keys, double seconds);

// In a child of fork(): restores the signal handlers.
void keys_forget(const Keys *keys);
