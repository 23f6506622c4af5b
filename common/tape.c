#include "common/tape.h"
#include "common/error.h"
#include "kernels/device.h"
#include "kernels/trace.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Tape *tape_new(Arena *step)
{
    // The tape lives in the arena that it resets: it is always the first piece.
    arena_reset(step);
    Tape *tape = arena_zeros(step, sizeof *tape);
    tape->arena = step;
    tape->recording = true;
    return tape;
}

void tape_reset(Tape *tape)
{
    bool recording = tape->recording, evaluating = tape->evaluating;
    tape = tape_new(tape->arena);
    tape->recording = recording;
    tape->evaluating = evaluating;
}

void tape_quiet(Tape *tape, bool quiet)
{
    tape->recording = !quiet;
    tape->evaluating = quiet;
}

// ---- gradients' memory

// The smallest piece that is large enough; the rest of it stays in the pool.
static float *take(Tape *tape, size_t count)
{
    size_t bytes = (count * sizeof(float) + 63) / 64 * 64;
    int best = -1;
    for (int i = 0; i < tape->pooled; i++)
        if (tape->pool[i].bytes >= bytes &&
            (best < 0 || tape->pool[i].bytes < tape->pool[best].bytes))
            best = i;
    if (best < 0) return arena_numbers(tape->arena, bytes);
    float *at = tape->pool[best].at;
    tape->pool[best].at += bytes / sizeof(float);
    tape->pool[best].bytes -= bytes;
    if (tape->pool[best].bytes == 0) tape->pool[best] = tape->pool[--tape->pooled];
    return at;
}

// A full pool forgets the piece: it is free again when the tape is reset.
static void give_back(Tape *tape, float *at, size_t count)
{
    size_t bytes = (count * sizeof(float) + 63) / 64 * 64;
    if (bytes == 0 || tape->pooled == TAPE_POOL) return;
    // A piece that ends where this one begins, or begins where it ends, becomes one with it.
    for (int i = 0; i < tape->pooled; i++)
        if (tape->pool[i].at + tape->pool[i].bytes / sizeof(float) == at ||
            at + bytes / sizeof(float) == tape->pool[i].at) {
            if (at > tape->pool[i].at) at = tape->pool[i].at;
            bytes += tape->pool[i].bytes;
            tape->pool[i] = tape->pool[--tape->pooled];
            i = -1;
        }
    tape->pool[tape->pooled].at = at;
    tape->pool[tape->pooled++].bytes = bytes;
}

// ---- recording

static const char *shapes_text(char text[256], Tensors all)
{
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < all.count && used < 200; i++)
        if (all.list[i] != NULL)
            used += (size_t)snprintf(text + used, 256 - used, "%s%s", used > 0 ? " " : "",
                                     TENSOR_TEXT(all.list[i]));
    return text;
}

// --check-numbers: an input error, and the one place far from a main() that knows which op it was.
static void require_finite(const char *op, const char *pass, Tensors in, Tensors out)
{
    const char *found = trace_not_finite();
    if (found == NULL) return;
    fflush(stdout);
    fprintf(stderr, "%s: %s%s of %s -> %s: %s\n", program_invocation_short_name, op, pass,
            shapes_text((char[256]){0}, in), shapes_text((char[256]){0}, out), found);
    exit(EXIT_FAILURE);
}

void tape_require_finite(const char *who)
{
    const char *found = trace_not_finite();
    if (found == NULL) return;
    fflush(stdout);
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, who, found);
    exit(EXIT_FAILURE);
}

// What a function of the host's has written, no kernel has seen.
static void check_outputs(Tensors out)
{
    for (int i = 0; i < out.count; i++)
        if (out.list[i]->type == DTYPE_F32)
            trace_check("the host's code", out.list[i]->data, tensor_count(out.list[i]));
}

static void check_gradients(Tensors in)
{
    for (int i = 0; i < in.count; i++) {
        const Tensor *x = in.list[i], *owner = x != NULL && x->base != NULL ? x->base : x;
        if (x != NULL && x->wants_grad && owner->has_grad)
            trace_check("the host's code", owner->grad + x->offset, tensor_count(x));
    }
}

static Tensor **copy_of(Arena *arena, Tensors all)
{
    Tensor **list = arena_alloc(arena, (size_t)all.count * sizeof *list);
    memcpy(list, all.list, (size_t)all.count * sizeof *list);
    return list;
}

static void record(const char *op, Tape *tape, Tensors out, void (*backward)(const TapeNode *node),
                   const void *saved, Tensors in)
{
    for (int i = 0; i < out.count; i++) out.list[i]->wants_grad = true;
    TapeNode *node = arena_alloc(tape->arena, sizeof *node);
    *node = (TapeNode){.backward = backward,
                       .op = op,
                       .tape = tape,
                       .in = copy_of(tape->arena, in),
                       .out = copy_of(tape->arena, out),
                       .inputs = in.count,
                       .outputs = out.count,
                       .saved = saved,
                       .before = tape->last};
    tape->last = node;
}

Tensors tape_record_as(const char *op, Tape *tape, Tensors out,
                       void (*backward)(const TapeNode *node), const void *saved, Tensors in)
{
    bool wanted = false;
    check_outputs(out);
    require_finite(op, "", in, out);
    for (int i = 0; i < in.count; i++) wanted |= in.list[i] != NULL && in.list[i]->wants_grad;
    if (tape->recording && wanted) record(op, tape, out, backward, saved, in);
    return out;
}

// ---- backward

static bool is_whole(const Tensor *x)
{
    return x->base == NULL || tensor_count(x) == tensor_count(x->base);
}

Grad tape_grad(const TapeNode *node, Tensor *x)
{
    if (x == NULL || !x->wants_grad) return (Grad){NULL, 0.0f};
    Tensor *owner = x->base != NULL ? x->base : x;
    size_t count = tensor_count(owner);
    if (owner->grad == NULL) {
        const Tape *tape = node->tape;    // the first piece of its arena
        REQUIRE((char *)owner < (char *)tape || (char *)owner >= tape->again,
                "%s is used by a part that is computed again and was computed before it; it must "
                "be among the inputs",
                TENSOR_TEXT(owner));
        owner->grad = take(node->tape, count);
    }
    if (!owner->has_grad && !is_whole(x)) {    // the rest of it must hold something too
        kernels.fill(owner->grad, 0.0f, count);
        owner->has_grad = true;
    }
    Grad grad = {owner->grad + x->offset, owner->has_grad ? 1.0f : 0.0f};
    owner->has_grad = true;
    return grad;
}

float *tape_grad_sum(const TapeNode *node, Tensor *x)
{
    Grad grad = tape_grad(node, x);
    if (grad.at != NULL && grad.beta == 0) kernels.fill(grad.at, 0.0f, tensor_count(x));
    return grad.at;
}

// Uses up the outputs' gradients.
static void backward_of(Tape *tape, const TapeNode *node)
{
    node->backward(node);
    check_gradients((Tensors){node->in, node->inputs});
    require_finite(node->op, ", backward", (Tensors){node->in, node->inputs},
                   (Tensors){node->out, node->outputs});
    for (int i = 0; i < node->outputs; i++) {
        Tensor *y = node->out[i];
        if (y->grad != NULL) give_back(tape, y->grad, tensor_count(y));
        y->grad = NULL;
        y->has_grad = false;
    }
}

static void run_backward(Tape *tape, TapeNode *last,
                         void (*after)(void *context, const TapeNode *node))
{
    for (const TapeNode *node = last; node != NULL; node = node->before) {
        bool arrived = false;
        for (int i = 0; i < node->outputs; i++) arrived |= node->out[i]->has_grad;
        if (arrived) backward_of(tape, node);
        if (after != NULL) after(tape->context, node);
    }
}

void tape_backward(Tape *tape, Tensor *loss)
{
    REQUIRE(tensor_count(loss) == 1, "the loss is %s; expected one element", TENSOR_TEXT(loss));
    REQUIRE(loss->wants_grad, "the loss does not depend on a parameter, or was not recorded");
    REQUIRE(!(loss->base ? loss->base : loss)->has_grad, "the loss has a gradient already");
    kernels.fill(tape_grad(&(TapeNode){.tape = tape}, loss).at, 1.0f, 1);    // it may be a view
    run_backward(tape, tape->last, tape->after);
}

// ---- recomputing

typedef struct Recompute {
    TapePart *part;
    const void *context;
} Recompute;

static void recompute_backward(const TapeNode *node)
{
    const Recompute *saved = node->saved;
    Tape *tape = node->tape;
    TapeNode *last = tape->last;
    bool recording = tape->recording, evaluating = tape->evaluating;
    // The inputs' gradients outlive what is computed again, so they get their memory before it.
    for (int i = 0; i < node->inputs; i++) tape_grad_sum(node, node->in[i]);

    ArenaMark mark = arena_mark(tape->arena);
    char *again = tape->again;
    tape->again = arena_alloc(tape->arena, 0);
    tape->last = NULL;
    tape_quiet(tape, false);    // as it was in forward
    Tensor *y = saved->part(tape, saved->context, node->in);
    REQUIRE(y->base == NULL && y->grad == NULL, "a part that is computed again returned %s",
            y->base != NULL ? "a view" : "one of its inputs");
    if (y->wants_grad) {
        y->grad = node->out[0]->grad;
        y->has_grad = true;
        node->out[0]->grad = NULL;    // given back by the op that made y
        run_backward(tape, tape->last, NULL);
    }
    tape->last = last;
    tape->recording = recording;
    tape->evaluating = evaluating;
    tape->again = again;
    // Pieces that gradients gave back and that lie behind the mark are gone with it.
    arena_rewind(tape->arena, mark);
    const float *end = arena_numbers(tape->arena, 0);
    arena_rewind(tape->arena, mark);
    for (int i = tape->pooled; i-- > 0;) {
        if (tape->pool[i].at >= end) tape->pool[i] = tape->pool[--tape->pooled];
        else if (tape->pool[i].at + tape->pool[i].bytes / sizeof(float) > end)
            tape->pool[i].bytes = (size_t)(end - tape->pool[i].at) * sizeof(float);
    }
}

Tensor *tape_recompute(Tape *tape, TapePart *part, const void *context, Shape out, Tensors in)
{
    bool recording = tape->recording;
    Recompute *saved = arena_alloc(tape->arena, sizeof *saved);
    *saved = (Recompute){part, context};
    Tensor *y = tensor_new(tape->arena, out);
    ArenaMark mark = arena_mark(tape->arena);
    tape->recording = false;
    tensor_copy(y, part(tape, context, in.list));
    tape->recording = recording;
    arena_rewind(tape->arena, mark);
    if (recording) {
        record(__func__, tape, OUTPUTS(y), recompute_backward, saved, in);
        tape->last->hides_inputs = true;
    }
    return y;
}
