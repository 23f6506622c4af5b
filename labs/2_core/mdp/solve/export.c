#include "labs/2_core/mdp/solve/export.h"
#include "common/file.h"

// Names are clean text (text.h): of what JSON quotes, only these two are left.
static void write_json_text(FILE *stream, const char *text)
{
    fputc('"', stream);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\') fputc('\\', stream);
        fputc(*text, stream);
    }
    fputc('"', stream);
}

static void write_csv_text(FILE *stream, const char *text)
{
    fputc('"', stream);
    for (; *text != '\0'; text++) {
        if (*text == '"') fputc('"', stream);
        fputc(*text, stream);
    }
    fputc('"', stream);
}

#define EACH_ACTION(mdp, s, a)                                                                     \
    for (int a = 0; a < (mdp)->actions; a++)                                                       \
        if (!(mdp)->terminal[s] && mdp_allowed(mdp, s, a))

bool export_json(const char *path, const World *world, const Optimum *best, Error *err)
{
    const Mdp *mdp = &world->mdp;
    NewFile file;
    if (!file_begin(&file, path, err)) return false;
    FILE *out = file.stream;
    fputs("{\"world\": ", out);
    write_json_text(out, world->name);
    fprintf(out, ", \"discount\": %.17g, \"sweeps\": %ld, \"converged\": %s,\n\"states\": [\n",
            mdp->discount, best->sweeps, best->converged ? "true" : "false");
    for (int s = 0; s < mdp->states; s++) {
        fputs("{\"state\": ", out);
        write_json_text(out, world->state_names[s]);
        fprintf(out, ", \"terminal\": %s, \"value\": %.17g, \"actions\": [",
                mdp->terminal[s] ? "true" : "false", best->values[s]);
        const char *before = "";
        EACH_ACTION(mdp, s, a)
        {
            size_t row = (size_t)s * (size_t)mdp->actions + (size_t)a;
            fprintf(out, "%s{\"action\": ", before);
            write_json_text(out, world->action_names[a]);
            fprintf(out, ", \"value\": %.17g, \"probability\": %.17g}", best->action_values[row],
                    best->policy[row]);
            before = ", ";
        }
        fprintf(out, "]}%s\n", s + 1 < mdp->states ? "," : "");
    }
    fputs("]}\n", out);
    return file_commit(&file, err);
}

bool export_csv(const char *path, const World *world, const Optimum *best, Error *err)
{
    const Mdp *mdp = &world->mdp;
    NewFile file;
    if (!file_begin(&file, path, err)) return false;
    fputs("state,value,action,action_value,probability\n", file.stream);
    for (int s = 0; s < mdp->states; s++) {
        if (mdp->terminal[s]) {
            write_csv_text(file.stream, world->state_names[s]);
            fputs(",0,,,\n", file.stream);
        }
        EACH_ACTION(mdp, s, a)
        {
            size_t row = (size_t)s * (size_t)mdp->actions + (size_t)a;
            write_csv_text(file.stream, world->state_names[s]);
            fprintf(file.stream, ",%.17g,", best->values[s]);
            write_csv_text(file.stream, world->action_names[a]);
            fprintf(file.stream, ",%.17g,%.17g\n", best->action_values[row], best->policy[row]);
        }
    }
    return file_commit(&file, err);
}
