#include "labs/driver/keys.h"
#include <ctype.h>
#include <errno.h>
#include <sys/select.h>
#include <unistd.h>

// Signals are unblocked only while keys_wait() sleeps; they are stored here until it reads them.
static volatile sig_atomic_t came[NSIG];

static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};
static const int others[] = {SIGTSTP, SIGCONT, SIGWINCH, SIGCHLD};
enum { ENDS = sizeof ends / sizeof *ends, OTHERS = sizeof others / sizeof *others };

static void note(int signal)
{
    came[signal] = 1;
}

static bool take(int signal)
{
    bool there = came[signal] != 0;
    came[signal] = 0;
    return there;
}

static void handle(void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler};
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < ENDS; i++) sigaction(ends[i], &action, NULL);
    for (int i = 0; i < OTHERS; i++) sigaction(others[i], &action, NULL);
}

// No line buffering and no echo; Ctrl-C and Ctrl-Z stay signals.
static void set_raw(Keys *keys)
{
    if (!keys->terminal) return;
    struct termios raw = keys->before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    keys->raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

static void set_before(Keys *keys)
{
    if (keys->raw) tcsetattr(STDIN_FILENO, TCSANOW, &keys->before);
    keys->raw = false;
}

void keys_open(Keys *keys)
{
    *keys = (Keys){0};
    keys->terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &keys->before) == 0;
    sigset_t ours;
    sigemptyset(&ours);
    for (int i = 0; i < ENDS; i++) sigaddset(&ours, ends[i]);
    for (int i = 0; i < OTHERS; i++) sigaddset(&ours, others[i]);
    set_raw(keys);    // in the background this stops us, as it should, until `fg`
    sigprocmask(SIG_BLOCK, &ours, &keys->mask);
    handle(note);
}

void keys_close(Keys *keys)
{
    set_before(keys);
    handle(SIG_DFL);
    sigprocmask(SIG_SETMASK, &keys->mask, NULL);
}

void keys_forget(const Keys *keys)
{
    handle(SIG_DFL);
    sigprocmask(SIG_SETMASK, &keys->mask, NULL);
}

// Until `fg`. The terminal is ours again after SIGCONT, which also follows a stop that sent us no
// signal.
static void stop(Keys *keys)
{
    sigset_t only, ours;
    set_before(keys);
    signal(SIGTSTP, SIG_DFL);
    sigemptyset(&only);
    sigaddset(&only, SIGTSTP);
    raise(SIGTSTP);
    sigprocmask(SIG_UNBLOCK, &only, &ours);    // here it stops, and goes on
    sigprocmask(SIG_SETMASK, &ours, NULL);
    signal(SIGTSTP, note);
    came[SIGCONT] = 1;
}

static int take_signals(Keys *keys)
{
    for (int i = 0; i < ENDS; i++)
        if (take(ends[i])) {
            keys->signal = ends[i];
            return KEYS_END;
        }
    if (take(SIGTSTP)) stop(keys);
    bool resized = take(SIGWINCH), back = take(SIGCONT);
    take(SIGCHLD);
    if (back) set_raw(keys);
    return resized || back ? KEYS_DRAW : KEYS_NONE;
}

// ESC [ ... letter, ESC O letter, ESC letter: a single key, such as an arrow, which is ignored.
static bool in_sequence(Keys *keys, unsigned char byte)
{
    enum { ESCAPE = 1, BRACKET, LETTER };
    int before = keys->sequence;
    keys->sequence = 0;
    if (byte == 033) keys->sequence = ESCAPE;
    else if (before == ESCAPE && byte == 'O') keys->sequence = LETTER;
    else if (before == ESCAPE ? byte == '[' : before == BRACKET && !(byte >= '@' && byte <= '~'))
        keys->sequence = BRACKET;
    return byte == 033 || before > 0;
}

static int take_key(Keys *keys)
{
    while (keys->next < keys->count) {
        unsigned char byte = keys->bytes[keys->next++];
        if (in_sequence(keys, byte)) continue;
        if (byte == 4 && keys->terminal) return 'q';    // Ctrl-D
        if (isalpha(byte) && byte < 128) return tolower(byte);
    }
    return KEYS_NONE;
}

int keys_wait(Keys *keys, double seconds)
{
    int key = take_key(keys);
    if (key != KEYS_NONE) return key;

    fd_set input;
    FD_ZERO(&input);
    if (!keys->over) FD_SET(STDIN_FILENO, &input);
    struct timespec most = {(time_t)seconds, (long)(1e9 * (seconds - (double)(time_t)seconds))};
    int ready = pselect(STDIN_FILENO + 1, &input, NULL, NULL, &most, &keys->mask);
    key = take_signals(keys);
    if (key != KEYS_NONE || ready <= 0) return key;

    ssize_t bytes = read(STDIN_FILENO, keys->bytes, sizeof keys->bytes);
    if (bytes < 0 && (errno == EINTR || errno == EAGAIN)) return KEYS_NONE;
    if (bytes <= 0) {
        keys->over = true;
        return KEYS_OVER;
    }
    keys->next = 0;
    keys->count = (int)bytes;
    return take_key(keys);
}
