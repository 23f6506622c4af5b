#include "labs/5_frontier/key_numbers/app/plan/notes.h"
#include <inttypes.h>
#include <string.h>
#include "labs/5_frontier/key_numbers/app/plan/plan.h"
#include "labs/5_frontier/key_numbers/app/plan/support.h"

static void add(PlanNotes *notes, const ModelPlan *plan, PlanPart part, const char *text)
{
    if (text == NULL || !(plan->parts >> part & 1)) return;
    REQUIRE(notes->count < PLAN_NOTES, "more than %d notes", PLAN_NOTES);
    notes->list[notes->count++] = (PlanNote){part, text};
}

// ---- settings that were given and change nothing ----

static bool has_draft(const Question *q)
{
    return q->draft != NULL;
}

static bool has_host(const Question *q)
{
    return q->cpu_layers > 0 || q->cpu_experts > 0;
}

static bool has_adapters(const Question *q)
{
    return q->lora_slots > 0 || question_choice(q, "method") != METHOD_FULL;
}

static bool is_vllm(const Question *q)
{
    return question_choice(q, "runtime") == RUNTIME_VLLM;
}

static bool has_pages(const Question *q)
{
    return question_choice(q, "runtime") != RUNTIME_LLAMA_CPP;
}

static bool has_tensor_parallel(const Question *q)
{
    return q->tp > 1;
}

static void add_unused(PlanNotes *notes, Arena *arena, const ModelPlan *plan, const Question *q)
{
    static const struct {
        const char *setting;
        PlanPart part;
        bool (*is_used)(const Question *);
        const char *needs;
    } known[] = {
        {"draft_tokens", PART_INFERENCE, has_draft, "--draft"},
        {"acceptance", PART_INFERENCE, has_draft, "--draft"},
        {"host_bandwidth", PART_INFERENCE, has_host, "--cpu-layers or --cpu-experts"},
        {"sequences", PART_INFERENCE, is_vllm, "--runtime vllm"},
        {"page", PART_INFERENCE, has_pages, "a cache in pages, which llama.cpp does not have"},
        {"rank", PART_TRAINING, has_adapters, "--method lora or qlora, or --lora-slots"},
        {"targets", PART_TRAINING, has_adapters, "--method lora or qlora, or --lora-slots"},
        {"sp", PART_TRAINING, has_tensor_parallel, "--tp"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (question_given(q, known[i].setting) && !known[i].is_used(q))
            add(notes, plan, known[i].part,
                arena_print(arena, "%s has no effect without %s", known[i].setting,
                            known[i].needs));
}

// ---- what the runtime cannot do ----

static void add_support(PlanNotes *notes, Arena *arena, const ModelPlan *plan)
{
    Runtime runtime = plan->deployment.workload.runtime;
    const WeightBytes *weights = &plan->basis.weights;
    const FormatInfo *format = format_find(weights->format, NULL);    // none: as stored
    const char *why = format != NULL ? support_weights(runtime, format) : NULL;
    if (why != NULL)
        add(notes, plan, PART_INFERENCE,
            arena_print(arena, "weights in %s: %s", weights->format, why));
    if (!model_has_decoder(plan->model)) return;
    const char *cache = plan->basis.cache_name;
    why = support_cache(runtime, cache);
    if (why != NULL)
        add(notes, plan, PART_INFERENCE, arena_print(arena, "cache in %s: %s", cache, why));
}

// ---- the model that drafts, and the host ----

static void add_draft(PlanNotes *notes, Arena *arena, const ModelPlan *plan, const Question *q)
{
    const Model *draft = plan->draft.model, *model = plan->model;
    if (draft == NULL) return;
    if (draft->vocab != model->vocab)
        add(notes, plan, PART_INFERENCE,
            arena_print(arena,
                        "draft: its vocabulary of %" PRIu64 " is padded otherwise than %" PRIu64
                        ": llama.cpp takes both, vLLM expects equal sizes",
                        draft->vocab, model->vocab));
    if (strcmp(draft->family, model->family) != 0)
        add(notes, plan, PART_INFERENCE,
            arena_print(arena,
                        "draft: %s is of the family %s, the model of %s: vocabularies of one size "
                        "may still hold different tokens",
                        draft->name, draft->family, model->family));
    if (draft->max_context > 0 && draft->max_context < q->context)
        add(notes, plan, PART_INFERENCE,
            arena_print(arena, "draft: the context of %s ends at %" PRIu64 " tokens", draft->name,
                        draft->max_context));
    const Speed *speed = &plan->speed;
    if (speed->draft_rate > 0 && speed->draft_rate < speed->tokens_per_second)
        add(notes, plan, PART_COMPUTE,
            arena_print(arena,
                        "draft: drafting slows decoding down at this batch, from %.4g to %.4g "
                        "tokens/s",
                        speed->tokens_per_second, speed->draft_rate));
}

static void add_host(PlanNotes *notes, Arena *arena, const ModelPlan *plan)
{
    uint64_t layers = plan->deployment.host.experts;
    if (layers == 0 || plan->serving.host.experts > 0) return;
    add(notes, plan, PART_INFERENCE,
        arena_print(arena, "cpu_experts: the first %" PRIu64 " layers have no routed experts",
                    layers));
}

PlanNotes notes_of(Arena *arena, const ModelPlan *plan, const Question *q)
{
    PlanNotes notes = {.count = 0};
    if (plan->parts >> PART_INFERENCE & 1) {
        add_support(&notes, arena, plan);
        add_host(&notes, arena, plan);
    }
    add_draft(&notes, arena, plan, q);
    add_unused(&notes, arena, plan, q);
    return notes;
}
