#include "labs/5_frontier/key_numbers/app/plan/training_memory.h"
#include <inttypes.h>
#include <math.h>

static const uint64_t dp_most = 65536;    // how far fewest_gpus() searches

// ---- how many GPUs ----

// With --gpus and no --dp, GPUs that the split leaves over are data-parallel; so are expert-parallel
// groups, which is why there are at least ep of them.
static bool choose_gpus(TrainingMemory *training, const Model *model, Error *err)
{
    const TrainingOptions *options = &training->options;
    Split split = options->split;
    uint64_t each = split.tp * split.pp, dp = options->dp;
    if (!split_check(model, split, err)) return false;
    if (dp == 1 && options->gpus > 0 && options->gpus % each == 0) dp = options->gpus / each;
    if (dp == 1) dp = split.ep;
    if (dp % split.ep != 0)
        return error_set(
            err, "ep: %" PRIu64 " data-parallel GPUs cannot be divided into groups of %" PRIu64, dp,
            split.ep);
    training->split = split, training->dp = dp, training->gpus = dp * each;
    return true;
}

// ---- weights ----

typedef struct Shape {
    uint64_t rows, cols, copies;
} Shape;

// What of a weight, in one layer, is on one GPU: split_held() says how much, its role which way.
static Shape held_shape(const TrainingMemory *training, const Model *model, const Weight *w)
{
    Shape shape = {w->rows, w->cols, w->copies};
    uint64_t held = split_held(model, w, w->rows * w->cols * w->copies, training->split);
    if (w->component == COMPONENT_EXPERTS && training->split.ep > 1)
        shape.copies = held / (w->rows * w->cols);
    else if (w->role == ROLE_O || w->role == ROLE_DOWN) shape.cols = held / (w->rows * w->copies);
    else shape.rows = held / (w->cols * w->copies);
    return shape;
}

static void add_part(TrainingPart *sum, const TrainingPart *part)
{
    sum->trained += part->trained;
    sum->moments += part->moments;
    sum->frozen += part->frozen;
}

static double part_bytes(const TrainingPart *part, const KnRecipe *recipe)
{
    return (double)part->trained * recipe->weights + part->frozen;
}

// Weights of one layer, or one outside of them.
typedef struct WeightLoad {
    TrainingPart parts[TRAINING_PARTS];
    double unpacked;    // bytes of the largest matrix as numbers
} WeightLoad;

static void add_weight(WeightLoad *load, const TrainingMemory *training, const Model *model,
                       const Weight *w, const FormatInfo *base, int layer)
{
    const TrainingOptions *options = &training->options;
    Shape shape = held_shape(training, model, w);
    double held = (double)(shape.rows * shape.cols * shape.copies), copies = (double)shape.copies;
    bool divided = w->component == COMPONENT_EXPERTS && training->split.ep > 1;
    TrainingPart *part = &load->parts[divided ? PART_EXPERTS : PART_DENSE];
    if (options->method == METHOD_FULL) {
        part->trained += shape.rows * shape.cols * shape.copies;
        part->moments += copies * optimizer_bytes(options->optimizer, shape.rows, shape.cols);
        return;
    }
    if (base != NULL) {
        uint64_t bytes = format_weight_bytes(model, base, w, layer);
        part->frozen += (double)split_held(model, w, bytes, training->split);
        if (layer != OUTSIDE)
            load->unpacked = fmax(load->unpacked, training->number * held / copies);
    } else {
        part->frozen += training->recipe.weights * held;
    }
    if (!adapters_on(w, options->targets)) return;
    uint64_t r = options->rank;
    part->trained += shape.copies * r * (shape.rows + shape.cols);
    part->moments += copies * (optimizer_bytes(options->optimizer, r, shape.cols) +
                               optimizer_bytes(options->optimizer, shape.rows, r));
}

static void add_load(TrainingStage *stage, const WeightLoad *load, const KnRecipe *recipe)
{
    TrainingPart one = {0};
    for (int p = 0; p < TRAINING_PARTS; p++) {
        add_part(&stage->parts[p], &load->parts[p]);
        add_part(&one, &load->parts[p]);
    }
    if (part_bytes(&one, recipe) > part_bytes(&stage->largest, recipe)) stage->largest = one;
    stage->unpacked = fmax(stage->unpacked, load->unpacked);
}

static void load_stages(TrainingMemory *training, const Model *model)
{
    const FormatInfo *base =
        training->options.method == METHOD_QLORA ? format_find("nf4-dq", NULL) : NULL;

    WeightLoad kinds[KINDS_MAX] = {0};
    for (int k = 0; k < model->kind_count; k++) {
        int layer = 0;
        while (layer < model->layers && model->kind_of[layer] != k) layer++;
        for (int i = 0; i < model->weight_count; i++)
            if (model->weights[i].kind == k)
                add_weight(&kinds[k], training, model, &model->weights[i], base, layer);
    }
    for (uint64_t s = 0; s < training->split.pp; s++) {
        TrainingStage *stage = &training->stages[s];
        stage->parts[PART_DENSE].groups = 1;
        stage->parts[PART_EXPERTS].groups = training->split.ep;
        split_stage(model->layers, training->split.pp, s, &stage->from, &stage->to);
        for (int l = stage->from; l < stage->to; l++)
            add_load(stage, &kinds[model->kind_of[l]], &training->recipe);
        for (int i = 0; i < model->weight_count; i++) {
            const Weight *w = &model->weights[i];
            WeightLoad load = {0};
            if (w->kind != OUTSIDE || !split_has(model, w, s == 0, s == training->split.pp - 1))
                continue;
            add_weight(&load, training, model, w, base, OUTSIDE);
            add_load(stage, &load, &training->recipe);
        }
    }
}

// ---- activations ----

// Of a logit. In fp32, and its gradient: 8. Megatron's fused loss needs 6, PyTorch's plain cross_entropy
// on a 16-bit head 14 (measured): 2, 4 as floats, 4 log-softmax, 4 gradient.
static double logit_bytes(Runtime runtime)
{
    return runtime == RUNTIME_TRANSFORMERS ? 14 : 8;
}

// High: transformers before version 4.45 made 4 more, a copy without the last token. Low: the 2 are freed.
static Range logit_range(Runtime runtime)
{
    return runtime == RUNTIME_TRANSFORMERS ? (Range){12, 18} : (Range){8, 14};
}

// The first stage keeps the tokens' numbers, of 8 bytes, and dropout's mask; the last the input of the
// final norm and of the head, and an encoder-decoder both of these of its encoder.
static void ends(TrainingStage *stage, const TrainingMemory *training, const Model *model,
                 bool first, bool last)
{
    const KnPass *pass = &training->pass;
    double tokens = (double)pass->sequence * (double)pass->batch, t = (double)training->split.tp;
    double h = (double)model->width / (pass->sequence_parallel ? t : 1);
    double norms = (training->vocab > 0 ? 2 : 0) +
                   (model_has_encoder(model) && model_has_decoder(model) ? 2 : 0);
    if (first) stage->first = tokens * (8 + (pass->dropout ? h : 0));
    if (!last) return;
    stage->last = tokens * norms * training->number * h;
    stage->logits =
        logit_bytes(training->options.runtime) * tokens * ceil((double)training->vocab / t);
}

static void activations(TrainingMemory *training, const Model *model)
{
    const TrainingOptions *options = &training->options;
    KnPass all = training->pass;
    all.recompute = KN_KEEP_ALL;
    double tokens = (double)all.sequence * (double)all.batch, t = (double)training->split.tp;
    double again[KINDS_MAX] = {0}, backward[KINDS_MAX] = {0};
    Range plain[KINDS_MAX] = {{0}};
    bool own = options->runtime == RUNTIME_TRANSFORMERS;
    for (int k = 0; k < model->kind_count; k++) {
        const KnBlock *block = &model->kinds[k].block;
        training->layers[k] = activations_layer(model, k, &training->pass, training->number);
        again[k] =
            activations_layer(model, k, &all, training->number).total - training->layers[k].total;
        plain[k] = activations_plain(model, k, &training->pass, training->number);
        if (own) {
            again[k] += activations_plain(model, k, &all, training->number).high - plain[k].high;
            training->plain[k] = plain[k].high;
        }
        if (options->method != METHOD_FULL) {
            double adapters = activations_adapters(model, k, options->targets, options->rank, &all,
                                                   training->number);
            if (training->pass.recompute == KN_FULL) again[k] += adapters;
            else training->adapters[k] = adapters;
        }
        // Scores' gradients, as floats and in 16 bits, of a softmax that is kept.
        if (own && !all.flash)
            backward[k] += 8 * tokens * (double)block->heads / t * (double)all.sequence;
        // The gradient that comes in, and those of an MLP's product and of what it is made from.
        backward[k] += training->number * tokens *
                       ((double)block->width / (all.sequence_parallel ? t : 1) +
                        2 * (double)activations_ffn(block) / t);
    }
    for (uint64_t s = 0; s < training->split.pp; s++) {
        TrainingStage *stage = &training->stages[s];
        stage->in_flight = training->split.pp - s;
        for (int l = stage->from; l < stage->to; l++) {
            int k = model->kind_of[l];
            stage->layers += training->layers[k].total + training->adapters[k] + training->plain[k];
            stage->plain.low += plain[k].low;
            stage->plain.high += plain[k].high;
            stage->recomputed = fmax(stage->recomputed, again[k]);
            stage->backward = fmax(stage->backward, backward[k]);
        }
        ends(stage, training, model, s == 0, s == training->split.pp - 1);
    }
}

// ---- on one GPU ----

static void part_state(const TrainingMemory *training, const TrainingPart *part, uint64_t dp,
                       int zero, TrainingBytes *bytes)
{
    uint64_t n = dp / part->groups;
    double frozen = zero == 3 ? part->frozen / (double)n : part->frozen;
    KnRecipe recipe = training->recipe;
    KnState state = {0};
    double master = recipe.state;
    if (part->trained > 0) {
        recipe.state += part->moments / (double)part->trained;
        kn_training_state(&state, part->trained, &recipe, zero, n);
    }
    double copies = recipe.state > 0 ? state.state * master / recipe.state : 0;
    bytes->weights += state.weights + frozen;
    bytes->gradients += state.gradients;
    bytes->optimizer += state.state - copies;
    bytes->master += copies;
}

// What the optimizer reads and writes goes to the host with it: its state, and the gradients.
static void offload(TrainingBytes *bytes, Offload what)
{
    if (what == OFFLOAD_NONE) return;
    bytes->host = bytes->gradients + bytes->optimizer + bytes->master;
    bytes->gradients = bytes->optimizer = bytes->master = 0;
    if (what == OFFLOAD_ALL) {
        bytes->host += bytes->weights;
        bytes->weights = 0;
    }
    bytes->host *= TRAINING_BUFFERS;
}

static Range overhead_of(const TrainingMemory *training)
{
    const TrainingOptions *options = &training->options;
    return runtime_overhead(&(Workload){.runtime = options->runtime}, &options->limit,
                            training->split);
}

static TrainingBytes stage_bytes(const TrainingMemory *training, const TrainingStage *stage,
                                 uint64_t dp, int zero)
{
    Offload offloaded = training->options.offload;
    TrainingBytes bytes = {
        .activations = (double)stage->in_flight * (stage->layers + stage->first) + stage->last,
        .logits = stage->logits,
        .recomputed = stage->recomputed,
        .backward = stage->backward,
        .unpacked = stage->unpacked,
        .runtime = overhead_of(training).high};
    for (int p = 0; p < TRAINING_PARTS; p++)
        part_state(training, &stage->parts[p], dp, zero, &bytes);
    offload(&bytes, offloaded);
    // Unified memory: what does not fit is moved to the host, and back for the optimizer's step.
    if (optimizer_paged(training->options.optimizer)) {
        bytes.host += bytes.optimizer;
        bytes.optimizer = 0;
    }
    // Weights are gathered before a layer runs, and its gradients are whole until they are divided.
    if (offloaded == OFFLOAD_ALL || (zero == 3 && dp > 1))
        bytes.gathered += part_bytes(&stage->largest, &training->recipe);
    if (offloaded != OFFLOAD_NONE || (zero >= 2 && dp > 1))
        bytes.gathered += (double)stage->largest.trained * training->recipe.weights;
    bytes.work = bytes.recomputed + bytes.backward + bytes.gathered + bytes.unpacked;
    bytes.total = bytes.weights + bytes.gradients + bytes.optimizer + bytes.master +
                  bytes.activations + bytes.logits + bytes.work + bytes.runtime;
    return bytes;
}

static TrainingBytes fullest(const TrainingMemory *training, uint64_t dp, int zero, int *which)
{
    TrainingBytes most = {0};
    for (int s = 0; s < (int)training->split.pp; s++) {
        TrainingBytes bytes = stage_bytes(training, &training->stages[s], dp, zero);
        if (s > 0 && !(bytes.total > most.total)) continue;
        most = bytes;
        if (which != NULL) *which = s;
    }
    return most;
}

// More data-parallel GPUs never need more memory each, so the fewest are found by doubling, then
// halving; in steps of ep.
static uint64_t fewest_gpus(const TrainingMemory *training, int zero)
{
    uint64_t step = training->split.ep, high = 1, low = 0;
    while (!(fullest(training, high * step, zero, NULL).total <= training->budget)) {
        low = high;
        high *= 2;
        if (high * step > dp_most) return 0;
    }
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (fullest(training, middle * step, zero, NULL).total <= training->budget) high = middle;
        else low = middle;
    }
    return high * step * training->split.tp * training->split.pp;
}

// Fused kernels keep least and plain modules most; logits are gone before a layer is computed again.
static void ranges(TrainingMemory *training)
{
    const TrainingBytes *gpu = &training->per_gpu;
    const TrainingStage *stage = &training->stages[training->fullest];
    bool own = training->options.runtime == RUNTIME_TRANSFORMERS;
    double flight = (double)stage->in_flight;
    Range each = logit_range(training->options.runtime), overhead = overhead_of(training);
    double logits = gpu->logits / logit_bytes(training->options.runtime);
    double fused = gpu->activations - (own ? flight * stage->plain.high : 0);
    training->activations =
        (Range){fused + (own ? flight * stage->plain.low : 0), fused + flight * stage->plain.high};
    training->logits = (Range){logits * each.low, logits * each.high};
    double state = gpu->weights + gpu->gradients + gpu->optimizer + gpu->master;
    training->beside.low = training->activations.low + fmax(training->logits.low, gpu->work);
    training->beside.high = training->activations.high + training->logits.high + gpu->work;
    training->total.low = state + training->beside.low + overhead.low;
    training->total.high = state + training->beside.high + overhead.high;
}

bool training_memory_plan(Arena *arena, const Model *model, const TrainingOptions *options,
                          TrainingMemory *training, Error *err)
{
    *training = (TrainingMemory){
        .options = *options,
        .params = model_params(model),
        .recipe = optimizer_recipe(options->precision, options->gradient_bytes),
        .number = options->precision == PRECISION_FP32 ? 4 : 2,
        .pass = options->pass,
        .budget = options->limit.memory,
    };
    training->pass.dropout = activations_dropout(model);
    training->trained = options->method == METHOD_FULL
                            ? training->params
                            : adapters_params(model, options->targets, options->rank);
    if (training->trained == 0)
        return error_set(err, "method: %s has no matrix that is known to be one LoRA adds to",
                         model->name);
    training->vocab = model_logits(model);
    if (!choose_gpus(training, model, err)) return false;
    training->stages = arena_zeros(arena, training->split.pp * sizeof *training->stages);
    load_stages(training, model);
    activations(training, model);

    for (int zero = 0; zero < ZERO_STAGES; zero++) {
        training->by_zero[zero] = fullest(training, training->dp, zero, NULL);
        training->fewest_by_zero[zero] = fewest_gpus(training, zero);
    }
    int zero = options->zero;
    training->per_gpu = fullest(training, training->dp, zero, &training->fullest);
    ranges(training);
    training->fits = training->per_gpu.total <= training->budget;
    training->fewest_gpus = training->fewest_by_zero[zero];
    return true;
}
