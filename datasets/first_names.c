#include "datasets/first_names.h"
#include <ctype.h>
#include <string.h>
#include "common/file.h"

const char *const first_names_countries[FIRST_NAMES_COUNTRIES] = {
    "Great Britain", "Ireland",    "USA",         "Italy",      "Malta",       "Portugal",
    "Spain",         "France",     "Belgium",     "Luxembourg", "Netherlands", "Frisia",
    "Germany",       "Austria",    "Switzerland", "Iceland",    "Denmark",     "Norway",
    "Sweden",        "Finland",    "Estonia",     "Latvia",     "Lithuania",   "Poland",
    "Czechia",       "Slovakia",   "Hungary",     "Romania",    "Bulgaria",    "Bosnia",
    "Croatia",       "Kosovo",     "Macedonia",   "Montenegro", "Serbia",      "Slovenia",
    "Albania",       "Greece",     "Russia",      "Belarus",    "Moldova",     "Ukraine",
    "Armenia",       "Azerbaijan", "Georgia",     "Kazakhstan", "Turkey",      "Arabia",
    "Israel",        "China",      "India",       "Japan",      "Korea",       "Vietnam",
    "elsewhere",
};

// Columns of a line, in characters: its kind, the name, '+' where the line repeats a name with its umlauts sorted
// otherwise, a frequency for each country, '$'.
enum { KIND = 0, NAME = 3, REPEATED = 29, FREQUENCY = 30, END = 86 };

// Where the character begins, of a line of UTF-8; NULL behind its end.
static const char *column(const char *line, const char *end, int at)
{
    for (; line < end; line++)
        if (((unsigned char)*line & 0xc0) != 0x80 && at-- == 0) return line;
    return NULL;
}

// The country that alone has the name, -1 for none or several.
static int only_country(const char *frequency)
{
    int found = -1;
    for (int c = 0; c < FIRST_NAMES_COUNTRIES; c++)
        if (frequency[c] != ' ') found = found == -1 ? c : -2;
    return found < 0 ? -1 : found;
}

// "Jun+Wei   " becomes "Junwei".
static const char *tidy(Arena *keep, const char *name, const char *end)
{
    char *text = arena_zeros(keep, (size_t)(end - name) + 1), *to = text;
    while (end > name && end[-1] == ' ') end--;
    for (; name < end; name++)
        if (*name == '+' && name + 1 < end) *to++ = (char)tolower((unsigned char)*++name);
        else *to++ = *name;
    return text;
}

bool first_names_load(FirstNames *names, Arena *keep, const char *path, Error *err)
{
    FileView view;
    if (!file_map(&view, path, err)) return false;
    const char *at = view.bytes, *end = at + view.size;
    *names = (FirstNames){.text = arena_alloc(keep, sizeof *names->text * (view.size / END + 1)),
                          .country = arena_alloc(keep, sizeof(int) * (view.size / END + 1))};
    bool good = true;
    for (long number = 1; at < end && good; number++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at)), *line = at;
        if (stop == NULL) stop = end;
        at = stop + 1;
        if (line == stop || *line == '#') continue;
        const char *last = column(line, stop, END), *name = column(line, stop, NAME),
                   *repeated = column(line, stop, REPEATED),
                   *frequency = column(line, stop, FREQUENCY);
        good =
            (last != NULL && *last == '$' && last - frequency == END - FREQUENCY &&
             repeated - name <= FIRST_NAMES_LONGEST) ||
            error_set(err, "%s:%ld: is no line of the dictionary: expected %d characters and a '$'",
                      path, number, END);
        if (!good || line[KIND] == '=' || *repeated == '+') continue;
        const int country = only_country(frequency);
        if (country < 0) continue;
        names->text[names->count] = tidy(keep, name, repeated);
        names->country[names->count++] = country;
    }
    file_unmap(view);
    return good && (names->count > 0 || error_set(err, "%s: holds no names", path));
}
