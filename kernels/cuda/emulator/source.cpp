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
#include "kernels/cuda/emulator/block.h"
#ifdef EMULATOR_BACKTRACE
#include <backtrace.h>
#endif

namespace emulator
{
// ---- lines

#ifdef EMULATOR_BACKTRACE
static void ignore(void *, const char *, int) {}

// Without the folder of the sources, as the house's messages are.
static const char *short_path(const char *file)
{
    const size_t root = strlen(EMULATOR_ROOT);
    return strncmp(file, EMULATOR_ROOT, root) == 0 ? file + root : file;
}

// Inlined functions come from the inside out: the first line outside the emulator's headers is the kernel's.
static int take_line(void *data, uintptr_t, const char *file, int line, const char *)
{
    auto *found = static_cast<SourceLine *>(data);
    if (!file) return 0;
    *found = {short_path(file), line};
    return strstr(file, "cuda/emulator/") == nullptr;
}
#endif

SourceLine source_line(const void *site)
{
    static std::unordered_map<const void *, SourceLine> known;
    const auto found = known.find(site);
    if (found != known.end()) return found->second;
    SourceLine line = {"", 0};
#ifdef EMULATOR_BACKTRACE
    static backtrace_state *state = backtrace_create_state(nullptr, 0, ignore, nullptr);
    if (site) backtrace_pcinfo(state, reinterpret_cast<uintptr_t>(site) - 1, take_line, ignore, &line);
#endif
    known[site] = line;
    return line;
}

bool same_line(const void *a, const void *b)
{
    const SourceLine x = source_line(a), y = source_line(b);
    return x.line > 0 && x.line == y.line && strcmp(x.file, y.file) == 0;
}

// ---- thread-local arrays

// "tile" of _ZZ9transposePfPKfE4tile.
static std::string short_name(const char *symbol)
{
    int status;
    char *whole = abi::__cxa_demangle(symbol, nullptr, nullptr, &status);
    std::string name = whole ? whole : symbol;
    free(whole);
    const size_t at = name.rfind("::");
    return at == std::string::npos ? name : name.substr(at + 2);
}

static void each_symbol(const char *file, char *segment,
                        void (*found)(const char *name, char *address, size_t bytes))
{
    const auto *header = reinterpret_cast<const ElfW(Ehdr) *>(file);
    const auto *section = reinterpret_cast<const ElfW(Shdr) *>(file + header->e_shoff);
    for (int i = 0; i < header->e_shnum; i++) {
        if (section[i].sh_type != SHT_SYMTAB) continue;
        const auto *symbol = reinterpret_cast<const ElfW(Sym) *>(file + section[i].sh_offset);
        const char *names = file + section[section[i].sh_link].sh_offset;
        for (size_t j = 0; j < section[i].sh_size / sizeof *symbol; j++) {
            const char *name = names + symbol[j].st_name;
            // _ZZ: of a function, as __shared__ arrays are
            if ((symbol[j].st_info & 15) == STT_TLS && symbol[j].st_size > 0 &&
                symbol[j].st_shndx != SHN_UNDEF && strncmp(name, "_ZZ", 3) == 0)
                found(short_name(name).c_str(), segment + symbol[j].st_value, symbol[j].st_size);
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

void each_shared_array(void (*found)(const char *name, char *address, size_t bytes))
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
