#include "labs/5_frontier/key_numbers/app/model/named.h"
#include <inttypes.h>
#include <string.h>
#include "common/text.h"
#include "labs/5_frontier/key_numbers/app/model/build.h"
#include "labs/5_frontier/key_numbers/app/model/item.h"

static const double NUMBERS_MOST = 1e15;    // a hundred times what exists

enum { NAMES_MOST = 2000 };

// ---- items to layers ----

static const Item *find_role(const Item *items, int count, Role role)
{
    for (int i = 0; i < count; i++)
        if (items[i].role == role && items[i].shape.rows > 1 &&
            items[i].component == COMPONENT_ATTN)
            return &items[i];
    return NULL;
}

static uint64_t rows_of(const Item *item)
{
    return item != NULL ? item->shape.rows : 0;
}

// Norms on each head's keys tell its size; a configuration does; else keys are taken for one head.
static uint64_t head_of(const Naming *n, const Item *items, int count, uint64_t keys)
{
    uint64_t head = item_field(n, "head_dim|attention_head_dim|kv_channels|d_kv");
    uint64_t heads = item_field(n, "num_attention_heads|n_head|num_heads|n_heads");
    uint64_t kv = item_field(n, "num_key_value_heads|num_kv_heads|multi_query_group_num");
    if (head == 0 && kv > 0) head = keys / kv;
    if (head == 0 && heads > 0 && n->width % heads == 0) head = n->width / heads;
    for (int i = 0; i < count && head == 0; i++)
        if (items[i].role == ROLE_NORM && items[i].component == COMPONENT_ATTN &&
            strstr(items[i].plain, "k_norm") != NULL && items[i].shape.cols < keys)
            head = items[i].shape.cols;
    return head > 0 && keys % head == 0 ? head : keys;
}

static KnBlock block_of(const Naming *n, const Item *items, int count)
{
    KnBlock b = {.width = n->width};
    const Item *down = find_role(items, count, ROLE_KV_A);
    uint64_t q = rows_of(find_role(items, count, ROLE_Q)),
             k = rows_of(find_role(items, count, ROLE_K));
    uint64_t v = rows_of(find_role(items, count, ROLE_V));
    const Item *joined = find_role(items, count, ROLE_QKV), *o = find_role(items, count, ROLE_O);
    if (joined != NULL && o != NULL && k == 0) {
        q = o->shape.cols;
        bool turned = joined->shape.rows == n->width && joined->shape.cols > n->width;    // GPT-2
        uint64_t all = turned ? joined->shape.cols : joined->shape.rows;
        k = v = all > q ? (all - q) / 2 : 0;
    }
    for (int i = 0; i < count && down != NULL; i++)
        if (strstr(items[i].plain, "kv_a_layernorm") != NULL) b.kv_rank = items[i].shape.cols;
    if (down != NULL && b.kv_rank > 0 && b.kv_rank <= down->shape.rows) {
        b.rope_dim = down->shape.rows - b.kv_rank;
        b.heads = 1;
        b.nope_dim = rows_of(find_role(items, count, ROLE_Q_B));
        if (b.nope_dim == 0) b.nope_dim = q;
        b.nope_dim = b.nope_dim > b.rope_dim ? b.nope_dim - b.rope_dim : 0;
        b.value_dim = o != NULL ? o->shape.cols : 0;
        return b;
    }
    if (k == 0 || v == 0 || q < k) return b;
    uint64_t both = (k + v) / 2;    // where keys are longer than values
    b.head_dim = head_of(n, items, count, both);
    b.kv_heads = both / b.head_dim;
    b.heads = q >= b.head_dim && k == v ? q / b.head_dim : b.kv_heads;
    if (b.heads % b.kv_heads != 0) b.heads = b.kv_heads;
    return b;
}

// Their number, and the size of one as the formula has it: what its matrices come to over 2 or 3 widths.
static uint64_t experts_of(const Naming *n, const Item *items, int count, uint64_t *ffn,
                           bool *gated)
{
    uint64_t experts = 0, numbers = 0;
    for (int i = 0; i < count; i++) {
        const Item *item = &items[i];
        if (item->component != COMPONENT_EXPERTS) continue;
        if (item->role == ROLE_DOWN && item->shape.copies > experts) experts = item->shape.copies;
        *gated |= item->role == ROLE_GATE || item->role == ROLE_GATE_UP;
        numbers += item->shape.rows * item->shape.cols * item->shape.copies;
    }
    if (experts < 2 || n->width == 0) return 0;
    *ffn = numbers / experts / ((*gated ? 3 : 2) * n->width);
    return *ffn > 0 ? experts : 0;
}

// The numbers that a recurrence keeps, where its tensors tell: -1 where they do not.
static int64_t state_of(const Item *items, int count)
{
    uint64_t conv = 0, state = 0;
    bool recurs = false;
    for (int i = 0; i < count; i++) {
        const Matrix *s = &items[i].shape;
        if (text_ends(items[i].plain, "conv1d.weight") ||
            text_ends(items[i].plain, "conv.conv.weight"))
            conv = s->copies * s->rows * (s->cols - 1);
        if (!text_ends(items[i].plain, "A_log")) continue;
        recurs = true;
        if (s->rows > 1) state = s->rows * s->cols;    // Mamba 1
    }
    if (recurs && state == 0) return -1;
    return (int64_t)(2 * conv + 4 * state);
}

static bool same_layer(const Naming *n, int a, int b)
{
    int first = n->first_of[a], other = n->first_of[b];
    int count = n->first_of[a + 1] - first;
    if (n->first_of[b + 1] - other != count) return false;
    for (int i = 0; i < count; i++) {
        const Item *x = &n->items[first + i], *y = &n->items[other + i];
        if (!item_same(x, y) || x->shape.copies != y->shape.copies) return false;
    }
    return true;
}

typedef struct Unknown {
    bool active, state, heads;
} Unknown;

static void add_kind(Naming *n, int layer, bool encodes, Unknown *unknown)
{
    const Item *items = &n->items[n->first_of[layer]];
    int count = n->first_of[layer + 1] - n->first_of[layer];
    KnBlock b = block_of(n, items, count);
    bool cross = false;
    for (int i = 0; i < count; i++)
        cross |= strstr(items[i].plain, "EncDec") != NULL ||
                 strstr(items[i].plain, "encoder_attn") != NULL;
    uint64_t ffn = 0;
    bool gated = false;
    uint64_t experts = experts_of(n, items, count, &ffn, &gated);
    if (experts > 1) {
        b.experts = experts, b.expert_ffn = ffn, b.gated = gated;
        b.active_experts = item_field(n, "num_experts_per_tok|num_experts_per_token|top_k_experts|"
                                         "moe_topk|moe_k|experts_per_token");
        unknown->active |= b.active_experts == 0;
        if (b.active_experts == 0 || b.active_experts > experts) b.active_experts = experts;
    }
    int64_t state = state_of(items, count);
    unknown->state |= state < 0;
    unknown->heads |= b.kv_heads == 1 && b.kv_rank == 0;
    const char *attention = b.kv_rank > 0    ? "latent attention"
                            : b.kv_heads > 0 ? "full attention"
                            : state != 0     ? "a recurrent state"
                                             : "no attention";
    const char *name = build_name(n->model, "%s%s", encodes ? "encoder, " : "", attention);
    if (b.experts > 0) name = build_name(n->model, "%s, experts", name);
    int kind = build_kind(n->model, (LayerKind){.name = name,
                                                .block = b,
                                                .state = state > 0 ? (uint64_t)state : 0,
                                                .cross = cross,
                                                .caches = !encodes,
                                                .causal = !encodes});
    for (int i = 0; i < count; i++) {
        const Item *item = &items[i];
        Component component = item->component;
        Weight *w = build_weight(n->model, kind, component, item->role, item->plain,
                                 item->shape.rows, item->shape.cols);
        w->copies = item->shape.copies;
    }
}

// An encoder's: before a decoder's layers, or in a model that has no output head and says so by its names.
static bool encodes(const Naming *n, int layer)
{
    if (n->encoder > 0) return layer < n->encoder;
    for (int i = 0; i < n->shards->count; i++) {
        const char *name = n->shards->tensors[i].entry->name;
        const char *at = strstr(name, "encoder.layer");
        if (strstr(name, ".q_lin.") != NULL || strstr(name, ".attn.Wqkv.") != NULL) return true;
        if (at != NULL && (at == name || at[-1] == '.') && strstr(name, "vision") == NULL &&
            strstr(name, "audio") == NULL)
            return true;
    }
    return false;
}

// False where there are too many kinds, or layers without a tensor.
static bool add_layers(Naming *n, Unknown *unknown)
{
    Model *model = n->model;
    int kinds = 0, outside = 0;
    n->first_of = arena_zeros(n->arena, ((size_t)n->layers + 1) * sizeof *n->first_of);
    while (outside < n->count && n->items[outside].layer == OUTSIDE) outside++;
    for (int l = 0, at = outside; l <= n->layers; l++) {
        n->first_of[l] = at;
        while (at < n->count && n->items[at].layer == l) at++;
        if (l < n->layers && at == n->first_of[l]) return false;
    }
    int *kind_of = arena_alloc(n->arena, ((size_t)n->layers + 1) * sizeof *kind_of);
    int first[KINDS_MAX];
    for (int l = 0; l < n->layers; l++) {
        int k = 0;
        while (k < kinds && (!same_layer(n, first[k], l) || encodes(n, l) != encodes(n, first[k])))
            k++;
        if (k == KINDS_MAX) return false;
        if (k == kinds) first[kinds++] = l;
        kind_of[l] = k;
    }
    for (int k = 0; k < kinds; k++) add_kind(n, first[k], encodes(n, first[k]), unknown);
    for (int l = 0; l < n->layers; l++) {
        Weight *w = model->weights;
        while (w->kind != kind_of[l]) w++;
        model->kinds[kind_of[l]].count++;
        for (int i = n->first_of[l]; i < n->first_of[l + 1]; i++, w++)
            w->stored_bytes += n->items[i].bytes;
    }
    model->kind_of = kind_of, model->layers = n->layers;
    return true;
}

// ---- the rest ----

static void add_item(Naming *n, const Item *item)
{
    for (int i = 0; i < n->model->weight_count; i++) {
        Weight *w = &n->model->weights[i];
        if (w->kind != OUTSIDE || w->rows != item->shape.rows || w->cols != item->shape.cols ||
            strcmp(w->name, item->plain) != 0)
            continue;
        w->copies += item->shape.copies, w->stored_bytes += item->bytes;
        return;
    }
    Weight *w = build_weight(n->model, OUTSIDE, item->component, item->role, item->plain,
                             item->shape.rows, item->shape.cols);
    w->copies = item->shape.copies, w->stored_bytes = item->bytes;
}

static void add_outside(Naming *n, bool all)
{
    bool head = false;
    for (int i = 0; i < n->count && n->model->weight_count < NAMES_MOST; i++) {
        const Item *item = &n->items[i];
        if (item->layer != OUTSIDE && !all) continue;
        add_item(n, item);
        if (item->role == ROLE_EMBED && item->shape.rows > n->model->vocab)
            n->model->vocab = item->shape.rows, n->model->width = item->shape.cols;
        head |= item->role == ROLE_HEAD && item->component == COMPONENT_HEAD;
    }
    const cJSON *tied = cJSON_GetObjectItemCaseSensitive(n->config, "tie_word_embeddings");
    bool decoder = false;
    for (int k = 0; k < n->model->kind_count; k++) decoder |= n->model->kinds[k].caches;
    n->model->tied = !head && decoder && !cJSON_IsFalse(tied);
}

static void note(const Naming *n, bool layers, const Unknown *unknown)
{
    Model *model = n->model;
    if (n->beside.elements > 0)
        build_extra(model, n->beside.elements, n->beside.bytes,
                    "masks, scales, modules that predict further tokens, by names and types");
    if (n->packed.elements > 0) {
        build_extra(model, n->packed.elements, n->packed.bytes,
                    "integers that hold packed matrices: a config.json would tell of how many "
                    "parameters");
        build_warning(model, "parameters in packed integers are not counted: neither scales nor a "
                             "config.json tell how many there are");
    }
    build_note(model, "parameters are counted by the names, types and shapes of tensors%s",
               n->config == NULL ? "; no config.json is beside the files" : "");
    if (!layers)
        build_warning(model, "the layers are not told apart by the names: no KV cache, no FLOPs");
    else
        build_warning(model,
                      "the KV cache is counted as full attention over all tokens, since windows "
                      "are not in the files: --window");
    if (unknown->heads)
        build_warning(model, "the heads are not known: KV cache and FLOPs hold, a split over GPUs "
                             "does not: --kv-heads");
    if (unknown->active)
        build_warning(
            model,
            "how many experts a token goes to is not known, and all are taken: --active-experts");
    if (unknown->state)
        build_warning(model, "the state of the layers with a recurrence is not counted");
    if (n->unclear != NULL)
        build_note(model, "some names say nothing, as %s: they are counted as MLP", n->unclear);
}

Model *named_model(const Shards *shards, Arena *arena, const char *path, const cJSON *config,
                   Error *err)
{
    Naming n = {.shards = shards, .config = config, .arena = arena};
    Unknown unknown = {false, false, false};
    const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(config, "model_type"));
    n.text = cJSON_GetObjectItemCaseSensitive(config, "text_config");
    if (!cJSON_IsObject(n.text)) n.text = config;
    n.model = build_model(arena, type != NULL ? arena_print(arena, "%s", type) : "unknown", path);
    n.model->source = "safetensors", n.model->named = true;
    items_read(&n);
    double numbers = 0;
    for (int i = 0; i < n.count; i++)
        numbers += (double)n.items[i].shape.rows * (double)n.items[i].shape.cols *
                   (double)n.items[i].shape.copies;
    if (numbers > NUMBERS_MOST) {
        error_set(err, "%s: its tensors come to %.2g parameters, expected at most %.0g", path,
                  numbers, NUMBERS_MOST);
        return NULL;
    }
    if (n.count == 0) {
        error_set(err, "%s: holds no tensor that may be a parameter", path);
        return NULL;
    }
    bool layers = n.layers > 0 && add_layers(&n, &unknown);
    add_outside(&n, !layers);
    if (n.model->weight_count == NAMES_MOST) {
        error_set(err, "%s: has tensors of over %d names", path, NAMES_MOST);
        return NULL;
    }
    n.model->max_context = item_field(&n, "max_position_embeddings|n_positions|seq_length|n_ctx");
    note(&n, layers, &unknown);
    return n.model;
}
