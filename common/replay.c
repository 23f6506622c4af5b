#include "common/replay.h"
#include <stdlib.h>
#include <string.h>
#include "kernels/device.h"

typedef enum State {
    UNKNOWN,      // no step of this kind has been seen
    WARM,         // one has taken its memory
    RECORDED,     // forward and backward are there
    DIFFERENT,    // a step cannot be recorded
} State;

struct Replay {
    Params *params;
    State state;
    bool recording;
    int rows;
    float scale;
    size_t numbers;    // of the arena that the batch takes
    Rng rng;           // when the loss began
    void *forward, *backward;
    const float *loss;
    bool *has_grad;    // of each parameter, after backward
    long count;
};

bool replay_asked(void)
{
    const char *asked = getenv("LAB_CUDA_GRAPHS");
    return asked != NULL && strcmp(asked, "on") == 0;
}

Replay *replay_new(Arena *keep, Params *params)
{
    if (device->recorder == NULL || !replay_asked()) return NULL;
    Replay *r = arena_zeros(keep, sizeof *r);
    r->params = params;
    r->has_grad = arena_zeros(keep, (size_t)params->count * sizeof *r->has_grad);
    return r;
}

static void drop(Replay *r, State state)
{
    device->recorder->free(r->forward);
    device->recorder->free(r->backward);
    r->forward = r->backward = NULL;
    r->state = state;
}

void replay_free(Replay *r)
{
    if (r != NULL) drop(r, UNKNOWN);
}

static bool any_grad(const Params *params)
{
    for (int i = 0; i < params->count; i++)
        if (params->items[i].tensor->has_grad) return true;
    return false;
}

// Whether the batch lies where the one before lay.
static bool alike(const Replay *r, const Tape *tape, int rows, float scale)
{
    return rows == r->rows && scale == r->scale && arena_numbers_used(tape->arena) == r->numbers &&
           !any_grad(r->params);
}

bool replay_forward(Replay *r, const Tape *tape, int rows, float scale, const Rng *rng, float *loss)
{
    if (r == NULL) return false;
    r->recording = false;
    if (r->state == UNKNOWN) {
        r->rows = rows;
        r->scale = scale;
        r->numbers = arena_numbers_used(tape->arena);
        r->state = WARM;
        return false;
    }
    if (r->state == DIFFERENT || !alike(r, tape, rows, scale)) return false;
    if (r->state == RECORDED && device->recorder->replay(r->forward)) {
        device->get(loss, r->loss, sizeof *loss);
        return true;
    }
    if (r->state == RECORDED) drop(r, WARM);    // a kernel's memory has moved: anew
    r->rng = *rng;
    r->recording = true;
    device->recorder->begin();
    return false;
}

void replay_backward(Replay *r)
{
    device->recorder->replay(r->backward);
    for (int i = 0; i < r->params->count; i++)
        r->params->items[i].tensor->has_grad = r->has_grad[i];
    r->count++;
}

void replay_end_forward(Replay *r, const Tensor *loss, const Rng *rng)
{
    if (r == NULL || !r->recording) return;
    r->forward = device->recorder->end();
    r->loss = tensor_floats(loss);
    r->recording = r->forward != NULL && r->rng.state == rng->state;
    if (!r->recording) drop(r, DIFFERENT);
}

void replay_begin_backward(Replay *r)
{
    if (r != NULL && r->recording) device->recorder->begin();
}

void replay_end_backward(Replay *r)
{
    if (r == NULL || !r->recording) return;
    r->recording = false;
    r->backward = device->recorder->end();
    for (int i = 0; i < r->params->count; i++)
        r->has_grad[i] = r->params->items[i].tensor->has_grad;
    if (r->backward == NULL) drop(r, DIFFERENT);
    else r->state = RECORDED;
}

long replay_count(const Replay *r)
{
    return r != NULL ? r->count : 0;
}
