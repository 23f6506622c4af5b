#include "labs/2_core/gpu_kernels/cost.h"

static void add(Traffic *sum, const LineCounts *line)
{
    const LineCounts *worst = sum->worst;
    sum->lanes += (double)line->lanes;
    sum->transactions += (double)line->transactions;
    sum->ideal += (double)line->ideal;
    sum->bytes += (double)line->lanes * line->bytes;
    if (line->bytes < 16) sum->narrow += (double)line->lanes;
    if (worst == NULL || line->transactions - line->ideal > worst->transactions - worst->ideal)
        sum->worst = line;
}

Traffic traffic_of(const EmulatorReport *report, Space space, bool writes)
{
    Traffic sum = {0};
    for (size_t i = 0; i < report->lines; i++)
        if (report->line[i].space == space && report->line[i].writes == writes)
            add(&sum, &report->line[i]);
    return sum;
}

Traffic traffic_of_both(const EmulatorReport *report, Space space)
{
    Traffic sum = {0};
    for (size_t i = 0; i < report->lines; i++)
        if (report->line[i].space == space) add(&sum, &report->line[i]);
    return sum;
}

size_t shared_of(const EmulatorReport *report)
{
    size_t most = 0;
    for (size_t i = 0; i < report->launches; i++)
        if (report->launch[i].shared > most) most = report->launch[i].shared;
    return most;
}
