// source.cpp -- from an address to a line, and the program's thread-local arrays: DWARF and ELF.
#include <cxxabi.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <unordered_map>
#include <vector>
#include "kernels/cuda/emulator/block.h"
#ifdef EMULATOR_BACKTRACE
#include <backtrace.h>
#endif

namespace emulator
{
static std::string readable(const char *symbol)
{
    int status;
    char *whole = abi::__cxa_demangle(symbol, nullptr, nullptr, &status);
    const std::string name = whole ? whole : symbol;
    free(whole);
    return name;
}

// "sum<float>" of "void (anonymous namespace)::sum<float>(float*)": DWARF has no more of a static function.
static std::string bare(const std::string &name)
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

// ---- lines

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

static const Place &place_of(const void *site)
{
    static std::unordered_map<const void *, Place> known;
    static backtrace_state *state = backtrace_create_state(nullptr, 0, ignore, nullptr);
    const auto found = known.find(site);
    if (found != known.end()) return found->second;
    Place &place = known[site];
    place.line = {"", 0};
    if (site)
        backtrace_pcinfo(state, reinterpret_cast<uintptr_t>(site) - 1, take_line, ignore, &place);
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

// ---- thread-local arrays

typedef void (*Found)(const char *function, const char *name, char *address, size_t bytes);

static void each_symbol(const char *file, char *segment, Found found)
{
    const auto *header = reinterpret_cast<const ElfW(Ehdr) *>(file);
    const auto *section = reinterpret_cast<const ElfW(Shdr) *>(file + header->e_shoff);
    for (int i = 0; i < header->e_shnum; i++) {
        if (section[i].sh_type != SHT_SYMTAB) continue;
        const auto *symbol = reinterpret_cast<const ElfW(Sym) *>(file + section[i].sh_offset);
        const char *names = file + section[section[i].sh_link].sh_offset;
        for (size_t j = 0; j < section[i].sh_size / sizeof *symbol; j++) {
            const char *name = names + symbol[j].st_name;
            // _ZZ9transposePfPKfE4tile: of a function, as __shared__ arrays are
            if ((symbol[j].st_info & 15) != STT_TLS || symbol[j].st_size == 0 ||
                symbol[j].st_shndx == SHN_UNDEF || strncmp(name, "_ZZ", 3) != 0)
                continue;
            const std::string whole = readable(name);    // transpose(float*, float const*)::tile
            const size_t end = whole.rfind("::");
            found(bare(whole.substr(0, end)).c_str(), whole.substr(end + 2).c_str(),
                  segment + symbol[j].st_value, symbol[j].st_size);
        }
    }
}

// The segment of the program itself, which is the first of the modules.
static char *tls_segment()
{
    char *segment = nullptr;
    dl_iterate_phdr(
        [](dl_phdr_info *info, size_t, void *data) {
            *static_cast<char **>(data) = static_cast<char *>(info->dlpi_tls_data);
            return 1;
        },
        &segment);
    return segment;
}

void each_shared_array(Found found)
{
    char *segment = tls_segment();
    const int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (segment && file >= 0 && fstat(file, &status) == 0) {
        void *image = mmap(nullptr, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
        if (image != MAP_FAILED) {
            each_symbol(static_cast<const char *>(image), segment, found);
            munmap(image, (size_t)status.st_size);
        }
    }
    if (file >= 0) close(file);
}
}    // namespace emulator
