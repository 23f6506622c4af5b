// source.cpp -- from an address of the code to its source line, by DWARF.
#include <cxxabi.h>
#include <fcntl.h>
#include <string>
#include <sys/resource.h>
#include <unistd.h>
#include <unordered_map>
#include <vector>
#include "kernels/cuda/emulator/block.h"
#ifdef EMULATOR_BACKTRACE
#include <backtrace.h>
#endif

namespace emulator
{
std::string readable(const char *symbol)
{
    int status;
    char *whole = abi::__cxa_demangle(symbol, nullptr, nullptr, &status);
    const std::string name = whole ? whole : symbol;
    free(whole);
    return name;
}

// "sum<float>" of "void (anonymous namespace)::sum<float>(float*)": DWARF has no more of a static function.
std::string bare(const std::string &name)
{
    size_t begin = 0, end = name.size(), depth = 0;
    for (size_t i = 0; i < end; i++) {
        if (name[i] == '<') depth++;
        if (name[i] == '>') depth--;
        if (depth == 0 && (name[i] == ' ' || name[i] == ':' || name[i] == ')')) begin = i + 1;
        if (depth == 0 && name[i] == '(' && i > begin) end = i;
    }
    return name.substr(begin, end - begin);
}

#ifdef EMULATOR_BACKTRACE
static void ignore(void *, const char *, int)
{
}

// Without the folder of the sources, as the house's messages are.
static const char *short_path(const char *file)
{
    const size_t root = strlen(EMULATOR_ROOT);
    return strncmp(file, EMULATOR_ROOT, root) == 0 ? file + root : file;
}

struct Place {
    SourceLine line;
    std::vector<std::string> functions;    // from the inlined one outwards
};

// Inlined functions come from the inside out: the first line outside the emulator's headers is the kernel's.
static int take_line(void *data, uintptr_t, const char *file, int line, const char *function)
{
    auto *place = static_cast<Place *>(data);
    if (function) place->functions.push_back(bare(readable(function)));
    const bool inside = place->line.line == 0 || strstr(place->line.file, "cuda/emulator/");
    if (file && inside) place->line = {short_path(file), line};
    return 0;
}

// The first look reads the debug information of all libraries, and for system libraries also a file of its own in
// /usr/lib/debug, which takes longer than everything else. With a limit of one open file it skips those.
static void look_up(const void *site, Place *place)
{
    static backtrace_state *state;
    rlimit files = {};
    bool limited = false;
    if (!state) {
        const int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
        limited = next > STDERR_FILENO && getrlimit(RLIMIT_NOFILE, &files) == 0;
        if (next >= 0) close(next);
        const rlimit one = {(rlim_t)next + 1, files.rlim_max};
        if (limited) setrlimit(RLIMIT_NOFILE, &one);
        state = backtrace_create_state(nullptr, 0, ignore, nullptr);
    }
    backtrace_pcinfo(state, reinterpret_cast<uintptr_t>(site) - 1, take_line, ignore, place);
    if (limited) setrlimit(RLIMIT_NOFILE, &files);
}

static const Place &place_of(const void *site)
{
    static std::unordered_map<const void *, Place> known;
    const auto found = known.find(site);
    if (found != known.end()) return found->second;
    Place &place = known[site];
    place.line = {"", 0};
    if (site) look_up(site, &place);
    return place;
}

SourceLine source_line(const void *site)
{
    return place_of(site).line;
}

const char *function_name(const void *function)
{
    const auto &functions = place_of(static_cast<const char *>(function) + 1).functions;
    return functions.empty() ? "" : functions.back().c_str();
}

bool is_in_function(const void *site, const std::string &name)
{
    for (const std::string &function : place_of(site).functions)
        if (function == name) return true;
    return false;
}
#else
SourceLine source_line(const void *)
{
    return {"", 0};
}

const char *function_name(const void *)
{
    return "";
}

bool is_in_function(const void *, const std::string &)
{
    return false;
}
#endif

bool same_line(const void *a, const void *b)
{
    const SourceLine x = source_line(a), y = source_line(b);
    return x.line > 0 && x.line == y.line && strcmp(x.file, y.file) == 0;
}
}    // namespace emulator
