// module.cpp -- the program and its libraries: where their variables lie, and their __shared__ arrays.
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <set>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>
#include "kernels/cuda/emulator/block.h"
#include "kernels/cuda/emulator/memory.h"

namespace emulator
{
struct Segment {
    uintptr_t begin, bytes;
};

static std::vector<Segment> segments;
static std::set<void *> searched;    // thread-local segments

// __shared__ arrays are the thread-local variables of functions.
static void add_arrays(const char *file, char *segment)
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
            memory_add(segment + symbol[j].st_value, symbol[j].st_size, SPACE_SHARED,
                       whole.substr(end + 2).c_str())
                ->function = bare(whole.substr(0, end));
        }
    }
}

static void search(const char *name, char *segment)
{
    const int file = open(name, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (file >= 0 && fstat(file, &status) == 0) {
        void *image = mmap(nullptr, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
        if (image != MAP_FAILED) {
            add_arrays(static_cast<const char *>(image), segment);
            munmap(image, (size_t)status.st_size);
        }
    }
    if (file >= 0) close(file);
}

static int look(dl_phdr_info *info, size_t, void *)
{
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD)
            segments.push_back(
                {info->dlpi_addr + info->dlpi_phdr[i].p_vaddr, info->dlpi_phdr[i].p_memsz});
    if (info->dlpi_tls_data && searched.insert(info->dlpi_tls_data).second)
        search(info->dlpi_name[0] ? info->dlpi_name : "/proc/self/exe",
               static_cast<char *>(info->dlpi_tls_data));
    return 0;
}

void modules_look()
{
    segments.clear();
    dl_iterate_phdr(look, nullptr);
}

bool modules_have(uintptr_t address)
{
    for (const Segment &segment : segments)
        if (address - segment.begin < segment.bytes) return true;
    return false;
}
}    // namespace emulator
