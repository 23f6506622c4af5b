/* The RBM as the training loop sees it: its gradient, its chains, its data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "labs/2_core/boltzmann/rbm.h"
#include "tests/facts.h"

enum { B = 6, H = 5, CHAINS = 4 };

typedef struct Fixture {
    Arena *keep, *step;
    Images images;
    Source source;
    RbmModel model;
    Tape *tape;
} Fixture;

static void begin(Fixture *f, bool persistent)
{
    *f = (Fixture){.keep = arena_new("keep", 64u << 20), .step = arena_new("step", 64u << 20)};
    Rng rng = rng_from_seed(1);
    Params *params = params_new(f->keep);
    images_generate(f->keep, &f->images, 1, 0, B);
    f->source = (Source){.images = &f->images, .binary = true};
    f->model = rbm_new(params, "cd", &f->source, H, &rng);
    if (persistent) rbm_chains(params, "cd", &f->model, CHAINS, &rng);
    f->tape = tape_new(f->step);
}

static void end(Fixture *f)
{
    arena_free(f->step);
    arena_free(f->keep);
}

static Tensor *loss(Fixture *f)
{
    Rng rng = rng_from_seed(2);
    static const int all[B] = {0, 1, 2, 3, 4, 5};
    Batch batch = {
        .x = source_rows(f->step, &f->source, all, B), .rows = B, .rng = &rng, .arena = f->step};
    return rbm_loss(f->tape, &f->model, &batch);
}

static void the_loss_hands_the_negative_gradient_to_the_optimizer(void **state)
{
    (void)state;
    Fixture f;
    begin(&f, false);
    static float w[H * PIXELS], b[PIXELS], c[H], h0[B * H], hk[B * H], hs[B * H], v[B * PIXELS],
        vk[B * PIXELS], x[B * PIXELS];
    tape_backward(f.tape, loss(&f));
    tensor_read(source_first(f.step, &f.source, B), x);
    Host host = host_begin(f.step);
    Rbm rbm = rbm_on_host(&host, &f.model);
    Rng rng = rng_from_seed(2);
    bm_cd((RbmGradient){w, b, c}, &rbm, x, B, 1, rbm_draw(&rng), (CdWork){h0, hk, hs, v, vk});
    host_end(&host);
    for (int i = 0; i < H * PIXELS; i++)
        assert_close((double)f.model.w->grad[i], -(double)w[i], 1e-6);
    for (int i = 0; i < PIXELS; i++) assert_close((double)f.model.b->grad[i], -(double)b[i], 1e-6);
    for (int j = 0; j < H; j++) assert_close((double)f.model.c->grad[j], -(double)c[j], 1e-6);
    end(&f);
}

static void chains_move_in_training_and_not_in_evaluation(void **state)
{
    (void)state;
    Fixture f;
    begin(&f, true);
    int moved[2] = {0, 0};
    for (int training = 0; training < 2; training++) {
        const float *before = tensor_values(f.keep, f.model.chains);
        tape_quiet(f.tape, training == 0);
        loss(&f);
        const float *after = tensor_values(f.keep, f.model.chains);
        for (int i = 0; i < CHAINS * PIXELS; i++) moved[training] += before[i] != after[i];
    }
    assert_integer("units that evaluation moved", moved[0], 0);
    assert_that(moved[1] > 0, "training did not move the chains");
    end(&f);
}

static void evaluation_gives_the_same_loss_each_time(void **state)
{
    (void)state;
    Fixture f;
    begin(&f, false);
    tape_quiet(f.tape, true);
    double first = (double)tensor_item(loss(&f));
    assert_close((double)tensor_item(loss(&f)), first, 0);
    assert_that(first > 0 && first < PIXELS, "the reconstruction error is %g", first);
    end(&f);
}

static void the_visible_biases_begin_at_the_shares_of_the_pixels(void **state)
{
    (void)state;
    Fixture f;
    begin(&f, false);
    const float *b = tensor_values(f.keep, f.model.b),
                *x = tensor_values(f.keep, source_first(f.step, &f.source, B));
    for (int i = 0; i < PIXELS; i++) {
        double ones = 0;
        for (int r = 0; r < B; r++) ones += (double)x[r * PIXELS + i];
        assert_close((double)b[i], log((ones + 0.5) / (B - ones + 0.5)), 1e-6);
    }
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_loss_hands_the_negative_gradient_to_the_optimizer),
        cmocka_unit_test(chains_move_in_training_and_not_in_evaluation),
        cmocka_unit_test(evaluation_gives_the_same_loss_each_time),
        cmocka_unit_test(the_visible_biases_begin_at_the_shares_of_the_pixels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
