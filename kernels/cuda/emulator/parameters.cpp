/* parameters.cpp -- what the kernel calls an array that it was given: the parameter's name, for messages.
 *
 * The launch knows the addresses, in the order of the parameters. Their names stand in the source, which the debug
 * information names: they are read from there when a message needs them.
 */
#include <fstream>
#include <sstream>
#include <vector>
#include "kernels/cuda/emulator/block.h"

namespace emulator
{
static std::vector<const void *> given;    // by the launch; NULL: not a pointer

void parameters_launch(const void *const *pointers, size_t count)
{
    given.assign(pointers, pointers + count);
}

static std::string text_of(const std::string &file)
{
    std::ifstream in(file);
#ifdef EMULATOR_ROOT
    if (!in) in.open(EMULATOR_ROOT + file);
#endif
    std::stringstream text;
    if (in) text << in.rdbuf();
    return text.str();
}

static bool is_of_a_name(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

// Behind the name and its parenthesis where the kernel is defined: a brace follows the parameters.
static std::string parameters_in(const std::string &text, const std::string &name)
{
    for (size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + 1)) {
        size_t begin = at + name.size();
        if ((at > 0 && is_of_a_name(text[at - 1])) || text.size() == begin) continue;
        begin = text.find_first_not_of(" )\n", begin);    // BODY(name)(float *y)
        if (begin == std::string::npos || text[begin] != '(') continue;
        int depth = 1;
        size_t end = begin + 1;
        for (; end < text.size() && depth > 0; end++)
            depth += (text[end] == '(') - (text[end] == ')');
        const size_t next = text.find_first_not_of(" \n", end);
        if (next != std::string::npos && text[next] == '{')
            return text.substr(begin + 1, end - begin - 2);
    }
    return "";
}

// "x" of "const float *x".
static std::string last_name(const std::string &declaration)
{
    size_t end = declaration.size();
    while (end > 0 && !is_of_a_name(declaration[end - 1])) end--;
    size_t begin = end;
    while (begin > 0 && is_of_a_name(declaration[begin - 1])) begin--;
    return declaration.substr(begin, end - begin);
}

std::string parameter_of(const void *base)
{
    size_t position = 0;
    while (position < given.size() && given[position] != base) position++;
    if (position == given.size()) return "";
    std::string name = function_name(block.kernel);
    name = name.substr(0, name.find('<'));
    const SourceLine line = source_line(static_cast<const char *>(block.kernel) + 1);
    if (name.empty() || !line.file[0]) return "";
    std::stringstream list(parameters_in(text_of(line.file), name));
    std::string declaration;
    for (size_t i = 0; std::getline(list, declaration, ','); i++)
        if (i == position) return last_name(declaration);
    return "";
}
}    // namespace emulator
