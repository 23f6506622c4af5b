/* Exercises 5 to 8: LSTM and GRU. check.c says how cases are made. */
#include "labs/2_core/rnn/check.h"
#include "labs/2_core/rnn/check_values.h"

// ---- 5: LSTM ----

CASE(lstm__matches_an_example_computed_by_hand)
{
    // Gates i f g o, one unit: their biases make sigmoid(0) = 1/2 of i, f and o; g = tanh(x).
    const Cell cell = {1, 1, FLOATS(0, 0, 1, 0), FLOATS(0, 0, 0, 0), FLOATS(0, 0, 0, 0), NULL};
    const Sequence s = {.T = 2,
                        .B = 1,
                        .x = FLOATS(1, 0),
                        .c0 = FLOATS(2),
                        .h0 = FLOATS(9),
                        .h = floats_filled(2, NAN),
                        .c = floats_filled(2, NAN),
                        .gates = floats_filled(8, NAN)};
    rn_lstm(&cell, &s);
    const double c0 = 1 + tanh(1) / 2;
    assert_near(s.gates, ((double[]){0.5, 0.5, tanh(1), 0.5, 0.5, 0.5, 0, 0.5}), SHAPE(2, 1, 4, 1),
                .name = "gates", .formula = "i f g o = sigmoid sigmoid tanh sigmoid");
    assert_near(s.c, ((double[]){c0, c0 / 2}), SHAPE(2, 1, 1), .name = "c",
                .formula = "c[t] = f c[t-1] + i g");
    assert_near(s.h, ((double[]){tanh(c0) / 2, tanh(c0 / 2) / 2}), SHAPE(2, 1, 1), .name = "h",
                .formula = "h[t] = o tanh(c[t])");
}

CASE(lstm__matches_pytorch)
{
    const Problem p = problem_waves(LSTM);
    const Outcome got = run_forward(&p);
    assert_near(got.h, lstm_h, SHAPE(3, 2, 2), .name = "h");
    assert_near(got.c + 8, lstm_last_c, SHAPE(2, 2), .name = "c of the last step");
}

CASE(lstm__handles_any_number_of_steps_sequences_and_units)
{
    check_forwards(LSTM, 500);
}

CASE(lstm__takes_either_of_its_two_states)
{
    Problem p = problem_random(LSTM, 3, 2, 2, 3, 520, true);
    double *c0 = p.c0;
    p.c0 = NULL;
    check_forward(&p);
    p.c0 = c0, p.h0 = NULL;
    check_forward(&p);
}

CASE(lstm__keeps_its_memory_behind_an_open_forget_gate)
{
    enum { T = 200 };
    Problem p = problem_random(LSTM, T, 1, 1, 1, 521, true);
    for (int t = 0; t < T; t++) p.x[t] = 0;
    for (int k = 0; k < 4; k++) p.u[k] = 0;
    p.b[0] = -100, p.b[1] = 100, p.c0[0] = 0.625;    // nothing written, everything kept
    const Outcome got = run_forward(&p);
    assert_close((double)got.c[T - 1], 0.625, 1e-6);
}

CASE(lstm__saturates)
{
    check_extremes(LSTM, 522);
}

CASE(lstm__propagates_nan_to_its_own_sequence_alone)
{
    check_nan_forward(LSTM);
    check_nan_inputs(LSTM, 531);
}

CASE(lstm__takes_the_same_arrays_again)
{
    const Cell cell = {1, 1, FLOATS(0, 0, 1, 0), FLOATS(0, 0, 0, 0), FLOATS(0, 0, 0, 0), NULL};
    float *x = FLOATS(1), *c0 = FLOATS(2);
    const Sequence s = {.T = 1,
                        .B = 1,
                        .x = x,
                        .c0 = c0,
                        .h = floats_filled(1, NAN),
                        .c = floats_filled(1, NAN),
                        .gates = floats_filled(4, NAN)};
    rn_lstm(&cell, &s);
    x[0] = -3, c0[0] = 1;
    rn_lstm(&cell, &s);
    assert_near(s.c, ((double[]){0.5 + tanh(-3) / 2}), SHAPE(1), .name = "c of the second call");
}

// ---- 6: LSTM backward ----

CASE(lstm_backward__is_the_derivative_of_the_loss)
{
    check_backwards(LSTM, 600);
}

CASE(lstm_backward__adds_to_the_gradients)
{
    const Problem p = problem_random(LSTM, 3, 2, 3, 2, 610, true);
    check_backward(&p, 0.5f, WANT_ALL);
}

CASE(lstm_backward__matches_pytorch)
{
    const Problem p = problem_waves(LSTM);
    const Outcome got = run_backward(&p, 0, WANT_ALL);
    assert_near(got.dx, lstm_dx, SHAPE(3, 2, 2), .name = "dx");
    assert_near(got.dh0, lstm_dh0, SHAPE(2, 2), .name = "dh0");
    assert_near(got.dc0, lstm_dc0, SHAPE(2, 2), .name = "dc0");
    assert_near(got.dw, lstm_dw, SHAPE(8, 2), .name = "dw");
    assert_near(got.du, lstm_du, SHAPE(8, 2), .name = "du");
    assert_near(got.db, lstm_db, SHAPE(8), .name = "db");
}

CASE(lstm_backward__leaves_out_gradients_that_are_not_wanted)
{
    check_unwanted(problem_random(LSTM, 3, 2, 3, 2, 620, true));
}

CASE(lstm_backward__takes_either_of_its_two_states)
{
    Problem p = problem_random(LSTM, 3, 2, 2, 3, 630, true);
    double *c0 = p.c0;
    p.c0 = NULL;
    check_backward(&p, 0, WANT_ALL);
    p.c0 = c0, p.h0 = NULL;
    check_backward(&p, 0, WANT_ALL);
}

CASE(lstm_backward__scales_with_what_arrives)
{
    const Problem p = problem_random(LSTM, 4, 2, 2, 3, 635, true);
    check_linear(&p);
}

CASE(lstm_backward__takes_saturated_gates)
{
    check_saturated(LSTM);
}

CASE(lstm_backward__propagates_nan)
{
    check_nan_backward(LSTM);
}

// One unit, one step, twice; then as by the formula of `kind`.
static Outcome one_step_twice(Kind kind)
{
    Problem p = problem_random(kind, 1, 1, 1, 1, 640, true);
    const int G = kind == LSTM ? 4 : 3;
    float *x = FLOATS(7), *h0 = FLOATS(7), *c0 = FLOATS(7), *gates = FLOATS(0.5f, 0.5f, 0.5f, 0.5f),
          *h = FLOATS(0.5f), *c = FLOATS(7), *dh = FLOATS(7), *dc = FLOATS(7);
    const Cell cell = {1,
                       1,
                       narrow(p.w, (size_t)G),
                       narrow(p.u, (size_t)G),
                       narrow(p.b, (size_t)G),
                       narrow(p.n, 1)};
    const Sequence s = {.T = 1, .B = 1, .x = x, .h0 = h0, .c0 = c0, .h = h, .c = c, .gates = gates};
    const Gradient g = {.h = dh,
                        .c = dc,
                        .x = FLOATS(0),
                        .h0 = FLOATS(0),
                        .c0 = FLOATS(0),
                        .w = floats_filled(4, 0),
                        .u = floats_filled(4, 0),
                        .b = floats_filled(4, 0),
                        .n = FLOATS(0),
                        .work = floats_filled(4, NAN)};
    for (int call = 0; call < 2; call++) {
        double *want = doubles_zero(1), *memory = doubles_zero(1), *open = doubles_zero(4);
        problem_run(&p, want, memory, open);
        x[0] = call == 0 ? 7 : (float)p.x[0], h0[0] = call == 0 ? 7 : (float)p.h0[0];
        c0[0] = call == 0 || p.c0 == NULL ? 7 : (float)p.c0[0];
        for (int k = 0; k < 4 && call == 1; k++) gates[k] = (float)open[k];
        if (call == 1) h[0] = (float)want[0], c[0] = (float)memory[0];
        dh[0] = call == 0 ? 7 : (float)p.dh[0], dc[0] = call == 0 ? 7 : (float)p.dc[0];
        g.x[0] = g.h0[0] = g.c0[0] = g.n[0] = 0;
        for (int k = 0; k < 4; k++) g.w[k] = g.u[k] = g.b[k] = 0;
        if (kind == LSTM) rn_lstm_backward(&g, &cell, &s);
        else rn_gru_backward(&g, &cell, &s);
    }
    const Outcome first = run_backward(&p, 0, WANT_ALL);
    assert_near(g.x, floats_wide(first.dx, 1), SHAPE(1), .name = "dx of the second call");
    assert_near(g.h0, floats_wide(first.dh0, 1), SHAPE(1), .name = "dh0 of the second call");
    assert_near(g.w, floats_wide(first.dw, (size_t)G), SHAPE(G), .name = "dw of the second call");
    assert_near(g.u, floats_wide(first.du, (size_t)G), SHAPE(G), .name = "du of the second call");
    return first;
}

CASE(lstm_backward__takes_the_same_arrays_again)
{
    one_step_twice(LSTM);
}

// ---- 7: GRU ----

CASE(gru__applies_the_reset_gate_after_the_product)
{
    // Scalar, all weights 1, no bias but the candidate's recurrent one, x 1, h .5: before the product it would be
    // .58828610; with z the other way round .88996222.
    const Cell cell = {1, 1, FLOATS(1, 1, 1), FLOATS(1, 1, 1), FLOATS(0, 0, 0), FLOATS(1)};
    const Sequence s = {.T = 1,
                        .B = 1,
                        .x = FLOATS(1),
                        .h0 = FLOATS(0.5f),
                        .h = floats_filled(1, NAN),
                        .gates = floats_filled(4, NAN)};
    rn_gru(&cell, &s);
    const double r = 1 / (1 + exp(-1.5));
    assert_near(s.gates, ((double[]){r, r, tanh(1 + r * 1.5), 1.5}), SHAPE(1, 1, 4, 1),
                .name = "gates", .formula = "r z n q, q = u_n h[t-1] + c");
    assert_near(s.h, ((double[]){0.58701233}), SHAPE(1, 1, 1), .name = "h",
                .formula = "n = tanh(w_n x + b_n + r q), h = (1-z) n + z h[t-1]");
}

CASE(gru__matches_pytorch)
{
    const Problem p = problem_waves(GRU);
    assert_near(run_forward(&p).h, gru_h, SHAPE(3, 2, 2), .name = "h");
}

CASE(gru__handles_any_number_of_steps_sequences_and_units)
{
    check_forwards(GRU, 700);
}

CASE(gru__keeps_its_state_where_z_is_1)
{
    enum { T = 100 };
    Problem p = problem_random(GRU, T, 1, 2, 1, 720, true);
    p.b[1] = 1000, p.h0[0] = 0.625;
    const Outcome got = run_forward(&p);
    assert_close((double)got.h[T - 1], 0.625, 1e-6);
}

CASE(gru__begins_at_a_large_state)
{
    Problem p = problem_random(GRU, 3, 1, 1, 1, 721, true);
    p.h0[0] = 1000, p.u[1] = 0;    // z lets some of it through
    check_forward(&p);
}

CASE(gru__saturates)
{
    check_extremes(GRU, 722);
}

CASE(gru__propagates_nan_to_its_own_sequence_alone)
{
    check_nan_forward(GRU);
    check_nan_inputs(GRU, 731);
}

CASE(gru__takes_the_same_arrays_again)
{
    const Cell cell = {1, 1, FLOATS(0, 0, 1), FLOATS(0, 0, 0), FLOATS(0, 0, 0), FLOATS(2)};
    float *x = FLOATS(5), *h0 = FLOATS(1);
    const Sequence s = {.T = 1,
                        .B = 1,
                        .x = x,
                        .h0 = h0,
                        .h = floats_filled(1, NAN),
                        .gates = floats_filled(4, NAN)};
    rn_gru(&cell, &s);
    x[0] = -1, h0[0] = 0.5f;
    rn_gru(&cell, &s);
    assert_near(s.h, ((double[]){0.25}), SHAPE(1), .name = "h of the second call",
                .formula = "n = tanh(-1 + 1/2 2) = 0, h = n / 2 + 0.5 / 2");
}

// ---- 8: GRU backward ----

CASE(gru_backward__is_the_derivative_of_the_loss)
{
    check_backwards(GRU, 800);
}

CASE(gru_backward__adds_to_the_gradients)
{
    const Problem p = problem_random(GRU, 3, 2, 3, 2, 810, true);
    check_backward(&p, 0.5f, WANT_ALL);
}

CASE(gru_backward__matches_pytorch)
{
    const Problem p = problem_waves(GRU);
    const Outcome got = run_backward(&p, 0, WANT_ALL);
    assert_near(got.dx, gru_dx, SHAPE(3, 2, 2), .name = "dx");
    assert_near(got.dh0, gru_dh0, SHAPE(2, 2), .name = "dh0");
    assert_near(got.dw, gru_dw, SHAPE(6, 2), .name = "dw");
    assert_near(got.du, gru_du, SHAPE(6, 2), .name = "du");
    assert_near(got.db, gru_db, SHAPE(6), .name = "db");
    assert_near(got.dn, gru_dn, SHAPE(2), .name = "dn");
}

CASE(gru_backward__leaves_out_gradients_that_are_not_wanted)
{
    check_unwanted(problem_random(GRU, 3, 2, 3, 2, 820, true));
}

CASE(gru_backward__scales_with_what_arrives)
{
    const Problem p = problem_random(GRU, 4, 2, 2, 3, 825, true);
    check_linear(&p);
}

CASE(gru_backward__takes_saturated_gates)
{
    check_saturated(GRU);
}

CASE(gru_backward__propagates_nan)
{
    check_nan_backward(GRU);
}

CASE(gru_backward__takes_the_same_arrays_again)
{
    one_step_twice(GRU);
}

const struct CMUnitTest gate_cases[] = {
    cmocka_unit_test(lstm__matches_an_example_computed_by_hand),
    cmocka_unit_test(lstm__matches_pytorch),
    cmocka_unit_test(lstm__handles_any_number_of_steps_sequences_and_units),
    cmocka_unit_test(lstm__takes_either_of_its_two_states),
    cmocka_unit_test(lstm__keeps_its_memory_behind_an_open_forget_gate),
    cmocka_unit_test(lstm__saturates),
    cmocka_unit_test(lstm__propagates_nan_to_its_own_sequence_alone),
    cmocka_unit_test(lstm__takes_the_same_arrays_again),
    cmocka_unit_test(lstm_backward__is_the_derivative_of_the_loss),
    cmocka_unit_test(lstm_backward__adds_to_the_gradients),
    cmocka_unit_test(lstm_backward__matches_pytorch),
    cmocka_unit_test(lstm_backward__leaves_out_gradients_that_are_not_wanted),
    cmocka_unit_test(lstm_backward__takes_either_of_its_two_states),
    cmocka_unit_test(lstm_backward__scales_with_what_arrives),
    cmocka_unit_test(lstm_backward__takes_saturated_gates),
    cmocka_unit_test(lstm_backward__propagates_nan),
    cmocka_unit_test(lstm_backward__takes_the_same_arrays_again),
    cmocka_unit_test(gru__applies_the_reset_gate_after_the_product),
    cmocka_unit_test(gru__matches_pytorch),
    cmocka_unit_test(gru__handles_any_number_of_steps_sequences_and_units),
    cmocka_unit_test(gru__keeps_its_state_where_z_is_1),
    cmocka_unit_test(gru__begins_at_a_large_state),
    cmocka_unit_test(gru__saturates),
    cmocka_unit_test(gru__propagates_nan_to_its_own_sequence_alone),
    cmocka_unit_test(gru__takes_the_same_arrays_again),
    cmocka_unit_test(gru_backward__is_the_derivative_of_the_loss),
    cmocka_unit_test(gru_backward__adds_to_the_gradients),
    cmocka_unit_test(gru_backward__matches_pytorch),
    cmocka_unit_test(gru_backward__leaves_out_gradients_that_are_not_wanted),
    cmocka_unit_test(gru_backward__scales_with_what_arrives),
    cmocka_unit_test(gru_backward__takes_saturated_gates),
    cmocka_unit_test(gru_backward__propagates_nan),
    cmocka_unit_test(gru_backward__takes_the_same_arrays_again),
    {0},
};
