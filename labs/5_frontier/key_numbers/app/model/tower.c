#include "labs/5_frontier/key_numbers/app/model/tower.h"
#include <string.h>
#include "common/text.h"

void tower_lay(ConfigFields *s, Component component, const char *prefix, uint64_t copies,
               const TowerPart *parts, int count)
{
    Model *model = s->model;
    int first = model->weight_count;
    const char *dot = *prefix != '\0' ? "." : "";
    for (int i = 0; i < count && !s->failed; i++) {
        const TowerPart *p = &parts[i];
        size_t length = strlen(p->name);
        bool full = text_ends(p->name, "*");
        const char *name = build_name(model, "%s%s%.*s%s", prefix, dot, (int)length - full, p->name,
                                      full ? "" : ".weight");
        build_weight(model, OUTSIDE, component, p->role, name, p->rows, p->cols);
        uint64_t rows = p->role == ROLE_NORM ? p->cols : p->rows;
        if (p->bias)
            build_vector(model, OUTSIDE, component, p->role == ROLE_NORM ? ROLE_NORM : ROLE_BIAS,
                         build_name(model, "%s%s%s.bias", prefix, dot, p->name), rows);
    }
    for (int i = first; i < model->weight_count; i++) model->weights[i].copies = copies;
}
