#include "common/tape.h"
#include "common/error.h"
#include "kernels/kernels.h"

Tape *tape_new(Arena *step)
{
    // The tape lives in the arena that it resets: it is always the first piece.
    arena_reset(step);
    Tape *tape = arena_alloc(step, sizeof *tape);
    *tape      = (Tape){.arena = step, .recording = true};
    return tape;
}

void tape_reset(Tape *tape)
{
    bool recording = tape->recording;
    tape_new(tape->arena)->recording = recording;
}

Tensor *tape_record(Tape *tape, Tensor *out, void (*backward)(const TapeNode *node),
                    const void *saved, Tensor *const inputs[])
{
    bool reaches = false;
    int  count   = 0;
    for (; inputs[count] != NULL; count++) reaches |= inputs[count]->grad != NULL;
    REQUIRE(count <= TAPE_MAX_INPUTS, "an op has %d inputs; expected at most %d", count,
            TAPE_MAX_INPUTS);
    if (!tape->recording || !reaches) return out;

    out->grad = arena_alloc(tape->arena, tensor_count(out) * sizeof *out->grad);

    TapeNode *node = arena_alloc(tape->arena, sizeof *node);
    *node = (TapeNode){.backward = backward, .out = out, .saved = saved, .before = tape->last};
    for (int i = 0; i < count; i++) node->in[i] = inputs[i];
    tape->last = node;
    return out;
}

void tape_backward(Tape *tape, Tensor *loss)
{
    REQUIRE(tensor_count(loss) == 1, "the loss is %s; expected one element", TENSOR_TEXT(loss));
    REQUIRE(loss->grad != NULL, "the loss does not depend on a parameter, or was not recorded");
    // Each pass starts from zeros between loss and parameters, so that a second loss on the same tape
    // does not carry the first one's gradients again.
    for (const TapeNode *node = tape->last; node != NULL; node = node->before)
        kernels.fill(node->out->grad, 0.0f, tensor_count(node->out));
    kernels.fill(loss->grad, 1.0f, 1);
    for (const TapeNode *node = tape->last; node != NULL; node = node->before) node->backward(node);
}
