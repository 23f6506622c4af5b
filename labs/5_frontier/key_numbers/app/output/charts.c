#include "labs/5_frontier/key_numbers/app/output/charts.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include "common/file.h"
#include "common/plot.h"

enum { POINTS_MAX = 40, GPUS_SHOWN = 14, ROOF_POINTS = 60 };

typedef struct Charts {
    Arena *arena;
    const ModelPlan *plan;
    const char *folder;
} Charts;

// Both as SVG and as PNG.
static bool save(const Charts *charts, const Plot *plot, const char *name, Error *err)
{
    const char *path = arena_print(charts->arena, "%s/%s", charts->folder, name);
    return plot_save(plot, path, "svg", err) && plot_save(plot, path, "png", err);
}

// 4096 as "4K": a power of two by its name.
static const char *tick_name(Arena *arena, uint64_t value)
{
    if (value % (1u << 20) == 0) return arena_print(arena, "%" PRIu64 "M", (value >> 20));
    if (value % 1024 == 0) return arena_print(arena, "%" PRIu64 "K", (value >> 10));
    return arena_print(arena, "%" PRIu64, value);
}

// "batch 4, context 8K".
static const char *workload_text(Arena *arena, const Workload *work)
{
    return arena_print(arena, "batch %" PRIu64 ", context %s", work->batch,
                       tick_name(arena, work->context));
}

// ---- memory on the fullest GPU, by part, against one setting ----

typedef struct Stack {
    int count;
    float x[POINTS_MAX], weights[POINTS_MAX], work[POINTS_MAX],
        cache[POINTS_MAX];    // each on top of those before
    PlotTick ticks[POINTS_MAX];
} Stack;

static bool add_to_stack(const Charts *charts, Stack *stack, const Deployment *deployment,
                         uint64_t value, Error *err)
{
    Serving serving;
    if (!inference_plan(charts->arena, deployment, &serving, err)) return false;
    const ServingBytes *bytes = &serving.per_gpu;
    int i = stack->count++;
    stack->x[i] = (float)value;
    stack->weights[i] = (float)(bytes->weights / 1e9);
    stack->work[i] = (float)((bytes->weights + bytes->work + bytes->runtime) / 1e9);
    stack->cache[i] = (float)(bytes->total / 1e9);
    stack->ticks[i] = (PlotTick){(double)value, tick_name(charts->arena, value)};
    return true;
}

// The workload's `field` doubles from `low` to `high`.
static bool draw_stack(const Charts *charts, const char *name, const char *label, size_t field,
                       uint64_t low, uint64_t high, Error *err)
{
    Deployment deployment = charts->plan->deployment;
    const Workload *work = &charts->plan->deployment.workload;
    const char *fixed =
        field == offsetof(Workload, context)
            ? arena_print(charts->arena, "batch %" PRIu64, work->batch)
            : arena_print(charts->arena, "context %s", tick_name(charts->arena, work->context));
    Stack *stack = arena_zeros(charts->arena, sizeof *stack);
    for (uint64_t value = low; value <= high && stack->count < POINTS_MAX; value *= 2) {
        *(uint64_t *)((char *)&deployment.workload + field) = value;
        if (!add_to_stack(charts, stack, &deployment, value, err)) return false;
    }
    size_t n = (size_t)stack->count;
    const char *gpu = charts->plan->gpu_spec.name;
    double usable = memory_usable(&deployment.limit) / 1e9;
    float limit[2] = {(float)usable, (float)usable}, ends[2] = {stack->x[0], stack->x[n - 1]};
    Plot plot = {.title =
                     arena_print(charts->arena, "%s in %s: memory of one GPU of %" PRIu64 ", %s",
                                 charts->plan->model->name, charts->plan->basis.weights.format,
                                 split_gpus(deployment.split), fixed),
                 .x_label = label,
                 .y_label = "GB (1e9 bytes)",
                 .log_x = true,
                 .ticks = stack->ticks,
                 .tick_count = stack->count};
    plot_shape(&plot, PLOT_AREA, "key/value cache", stack->x, stack->cache, n);
    plot_shape(&plot, PLOT_AREA, "work space and runtime", stack->x, stack->work, n);
    plot_shape(&plot, PLOT_AREA, "weights", stack->x, stack->weights, n);
    plot_shape(
        &plot, PLOT_LIMIT,
        arena_print(charts->arena, "%s, %.0f %% of it", gpu, 100 * deployment.limit.utilisation),
        ends, limit, 2);
    return save(charts, &plot, name, err);
}

// ---- which GPUs ----

static bool draw_gpus(const Charts *charts, Error *err)
{
    const Fit *fit = &charts->plan->fit;
    double utilisation = fit->limit.utilisation;
    float x[GPUS_SHOWN], have[GPUS_SHOWN], need[GPUS_SHOWN];
    PlotTick ticks[GPUS_SHOWN];
    int shown = 0;
    for (int i = 0; i < fit->count && shown < GPUS_SHOWN; i++) {
        const FitOption *o = &fit->options[i];
        if (o->gpus == 0) continue;
        double usable = o->memory * utilisation;
        x[shown] = (float)shown;
        have[shown] = (float)(usable / 1e9);
        need[shown] = (float)((usable - o->free * (double)o->gpus) / 1e9);
        ticks[shown] = (PlotTick){
            shown, arena_print(charts->arena, "%" PRIu64 " x %s", o->gpus, o->gpu_spec.id)};
        shown++;
    }
    if (shown == 0) return true;    // no GPU of the table holds it, and the report says so
    Plot plot = {.title =
                     arena_print(charts->arena, "%s: the smallest machines that hold it, %s",
                                 charts->plan->model->name,
                                 workload_text(charts->arena, &charts->plan->deployment.workload)),
                 .y_label = "GB (1e9 bytes), all GPUs together",
                 .ticks = ticks,
                 .tick_count = shown};
    plot_shape(&plot, PLOT_BARS, "what is needed", x, need, (size_t)shown);
    plot_shape(&plot, PLOT_FRAMES, "what may be used", x, have, (size_t)shown);
    return save(charts, &plot, "gpus", err);
}

// ---- the roofline ----

typedef struct RoofPoint {
    float intensity, rate;
} RoofPoint;

static RoofPoint roof_point(const StepTime *step)
{
    return (RoofPoint){(float)(step->flops / step->bytes),
                       (float)(step->flops / step->bounds.seconds / 1e12)};
}

static bool draw_roofline(const Charts *charts, Error *err)
{
    const Speed *speed = &charts->plan->speed;
    if (speed->unknown != NULL) return error_set(err, "%s", speed->unknown);

    float x[ROOF_POINTS], roof[ROOF_POINTS];
    for (int i = 0; i < ROOF_POINTS; i++) {
        double intensity = pow(10, -0.5 + 4.5 * i / (ROOF_POINTS - 1));
        x[i] = (float)intensity;
        roof[i] = (float)(fmin(speed->load.peak, speed->load.bandwidth * intensity) / 1e12);
    }
    Plot plot = {.title =
                     arena_print(charts->arena, "%s on %s: the roofline, %s",
                                 charts->plan->model->name, charts->plan->gpu_spec.name,
                                 workload_text(charts->arena, &charts->plan->deployment.workload)),
                 .x_label = "FLOP for each byte that is moved",
                 .y_label = "TFLOP/s of one GPU",
                 .log_x = true,
                 .log_y = true};
    plot_series(&plot, "the GPU's limit", x, roof, ROOF_POINTS);
    RoofPoint prefill = roof_point(&speed->prefill);
    plot_shape(&plot, PLOT_POINTS, "reading a prompt", &prefill.intensity, &prefill.rate, 1);
    RoofPoint single, many;
    if (speed->load.decodes) {
        single = roof_point(&speed->batches[0]);
        plot_shape(&plot, PLOT_POINTS, "writing, one request", &single.intensity, &single.rate, 1);
    }
    if (speed->load.decodes && speed->batch > 1) {
        many = roof_point(&speed->decode);
        plot_shape(&plot, PLOT_POINTS,
                   arena_print(charts->arena, "writing, %" PRIu64 " requests", speed->batch),
                   &many.intensity, &many.rate, 1);
    }
    return save(charts, &plot, "roofline", err);
}

// ---- throughput against concurrency ----

// The bound of decoding, and how many requests memory has room for.
static bool draw_throughput(const Charts *charts, Error *err)
{
    const ModelPlan *plan = charts->plan;
    const Speed *speed = &plan->speed;
    if (!speed->load.decodes) return true;
    float x[SPEED_BATCHES], all[SPEED_BATCHES], each[SPEED_BATCHES];
    PlotTick ticks[SPEED_BATCHES];
    for (int i = 0; i < SPEED_BATCHES; i++) {
        uint64_t batch = (uint64_t)1 << i;
        x[i] = (float)batch;
        all[i] = (float)((double)batch / speed->batches[i].bounds.seconds);
        each[i] = (float)(1 / speed->batches[i].bounds.seconds);
        ticks[i] = (PlotTick){(double)batch, tick_name(charts->arena, batch)};
    }
    float most = (float)plan->serving.max_requests, room[2] = {most, most};
    float ends[2] = {each[SPEED_BATCHES - 1], all[SPEED_BATCHES - 1]};
    Plot plot = {.title = arena_print(
                     charts->arena, "%s on %" PRIu64 " x %s: throughput, context %s",
                     plan->model->name, split_gpus(plan->deployment.split), plan->gpu_spec.name,
                     tick_name(charts->arena, plan->deployment.workload.context)),
                 .x_label = "concurrent requests",
                 .y_label = "tokens/s",
                 .log_x = true,
                 .log_y = true,
                 .ticks = ticks,
                 .tick_count = SPEED_BATCHES};
    plot_series(&plot, "all requests together", x, all, SPEED_BATCHES);
    plot_series(&plot, "one request", x, each, SPEED_BATCHES);
    if (most >= 1 && most <= x[SPEED_BATCHES - 1])
        plot_shape(&plot, PLOT_LIMIT, arena_print(charts->arena, "memory holds %.0f", (double)most),
                   room, ends, 2);
    return save(charts, &plot, "throughput", err);
}

bool charts_draw(Arena *arena, const ModelPlan *plan, const char *folder, Error *err)
{
    Charts charts = {arena, plan, folder};
    const Workload *workload = &plan->deployment.workload;
    if (plan->model->layers == 0)
        return error_set(err, "--plot: %s: its layers are not known, only its tensors",
                         plan->model->name);
    if (!file_make_folder(folder, err)) return false;
    // As far as the model goes, and at least as far as was asked.
    uint64_t context = plan->model->max_context > 0 ? plan->model->max_context : 131072;
    uint64_t batch = 256;
    if (context < workload->context) context = workload->context;
    if (batch < workload->batch) batch = workload->batch;
    return draw_stack(&charts, "memory_by_context", "tokens of each request",
                      offsetof(Workload, context), 1024, context, err) &&
           draw_stack(&charts, "memory_by_batch", "requests at the same time",
                      offsetof(Workload, batch), 1, batch, err) &&
           draw_gpus(&charts, err) && draw_roofline(&charts, err) && draw_throughput(&charts, err);
}
