#include "labs/5_frontier/key_numbers/app/output/units.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

// 1234567 as "1,234,567".
static const char *grouped(Arena *arena, uint64_t value)
{
    char digits[24], text[32], *end = text;
    size_t count = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, value);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0) *end++ = ',';
        *end++ = digits[i];
    }
    *end = '\0';
    return arena_print(arena, "%s", text);
}

// Four digits and a prefix: "16.06 G".
static const char *scaled(Arena *arena, double value, double step, const char *const *prefixes)
{
    int power = 0;
    while (fabs(value) >= 0.99995 * step && prefixes[power + 1] != NULL) {
        value /= step;
        power++;
    }
    double size = fabs(value);
    int decimals = size >= 1000 ? 0 : size >= 100 ? 1 : 2;
    if (power == 0 && value == floor(value)) decimals = 0;
    return arena_print(arena, "%.*f %s", decimals, value, prefixes[power]);
}

static const char *const DECIMAL[] = {"", "k", "M", "G", "T", "P", "E", "Z", "Y", NULL};
static const char *const BINARY[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", NULL};

static const char *bytes_text(Arena *arena, double bytes)
{
    if (bytes < 1000) return arena_print(arena, "%.15g B", bytes);
    return arena_print(arena, "%sB (%sB)", scaled(arena, bytes, 1000, DECIMAL),
                       scaled(arena, bytes, 1024, BINARY));
}

static const char *seconds_text(Arena *arena, double seconds)
{
    if (seconds < 1e-3) return arena_print(arena, "%.3g us", seconds * 1e6);
    if (seconds < 1) return arena_print(arena, "%.3g ms", seconds * 1e3);
    if (seconds < 600) return arena_print(arena, "%.3g s", seconds);
    if (seconds < 2 * 3600) return arena_print(arena, "%.3g minutes", seconds / 60);
    if (seconds < 2 * 86400) return arena_print(arena, "%.3g hours", seconds / 3600);
    return arena_print(arena, "%.4g days", seconds / 86400);
}

// A plain number with the digits it deserves.
static const char *plain(Arena *arena, double value)
{
    double size = fabs(value);
    if (size >= 1e15) return arena_print(arena, "%.4g", value);
    if (size >= 1000) return grouped(arena, (uint64_t)llround(value));
    return arena_print(arena, "%.4g", value);
}

// From a million on in steps of a thousand, "8.03e9": a letter would be taken for bytes.
static const char *large(Arena *arena, double value)
{
    int power = 0;
    if (fabs(value) < 1e6) return plain(arena, value);
    while (fabs(value) >= 999.95 && power < 15) value /= 1000, power += 3;
    return arena_print(arena, "%.4ge%d", value, power);
}

// As people say it: "8.03 B", "124 M".
static const char *billions(Arena *arena, double value)
{
    static const char letters[] = "MBT";
    int power = 0;
    for (value /= 1e6; value >= 999.5 && power < 2; value /= 1000) power++;
    return arena_print(arena, "%.*f %c",
                       value < 9.995   ? 2
                       : value < 99.95 ? 1
                                       : 0,
                       value, letters[power]);
}

static const char *amount(Arena *arena, double value, Unit unit)
{
    switch (unit) {
    case UNIT_NONE: return plain(arena, value);
    case UNIT_PARAMETERS: return large(arena, value);
    case UNIT_TOKENS: return arena_print(arena, "%s tokens", large(arena, value));
    case UNIT_REQUESTS: return plain(arena, value);
    case UNIT_GPUS:
        return arena_print(arena, "%s GPU%s", plain(arena, value), value == 1 ? "" : "s");
    case UNIT_BYTES: return bytes_text(arena, value);
    case UNIT_BITS: return arena_print(arena, "%.6g bits", value);
    case UNIT_FLOPS:
        if (value >= 1e18) return arena_print(arena, "%.4g FLOP", value);
        return arena_print(arena, "%sFLOP", scaled(arena, value, 1000, DECIMAL));
    case UNIT_FLOPS_PER_SECOND:
        return arena_print(arena, "%sFLOP/s", scaled(arena, value, 1000, DECIMAL));
    case UNIT_BYTES_PER_SECOND:
        return arena_print(arena, "%sB/s", scaled(arena, value, 1000, DECIMAL));
    case UNIT_FLOPS_PER_BYTE: return arena_print(arena, "%.4g FLOP/byte", value);
    case UNIT_TOKENS_PER_SECOND: return arena_print(arena, "%s tokens/s", plain(arena, value));
    case UNIT_SECONDS: return seconds_text(arena, value);
    case UNIT_GPU_HOURS: return arena_print(arena, "%s GPU-hours", plain(arena, value));
    case UNIT_KWH: return arena_print(arena, "%s kWh", plain(arena, value));
    case UNIT_DOLLARS: return arena_print(arena, "$%s", plain(arena, value));
    case UNIT_SHARE: return arena_print(arena, "%.3g %%", 100 * value);
    }
    return "";
}

const char *units_text(Arena *arena, const Row *row)
{
    switch (row->kind) {
    case ROW_TEXT: return row->text;
    case ROW_NULL: return row->text != NULL ? arena_print(arena, "- (%s)", row->text) : "-";
    case ROW_FLAG: return row->flag ? "yes" : "no";
    case ROW_COUNT:
        if (row->unit == UNIT_PARAMETERS && row->count >= 1000000)
            return arena_print(arena, "%s = %s (%s)", grouped(arena, row->count),
                               large(arena, (double)row->count),
                               billions(arena, (double)row->count));
        if (row->unit == UNIT_PARAMETERS) return grouped(arena, row->count);
        if (row->unit == UNIT_TOKENS)
            return arena_print(arena, "%s tokens", grouped(arena, row->count));
        if (row->unit == UNIT_BYTES && row->count >= 1000)
            return arena_print(arena, "%s B = %s", grouped(arena, row->count),
                               bytes_text(arena, (double)row->count));
        break;
    case ROW_REAL: break;
    }
    return amount(arena, row_number(row), row->unit);
}

const char *units_short(Arena *arena, const Row *row)
{
    double value = row_number(row);
    if (row->kind == ROW_NULL) return "-";
    if (row->kind == ROW_TEXT || row->kind == ROW_FLAG) return units_text(arena, row);
    if (row->unit == UNIT_BYTES)
        return value < 1000 ? arena_print(arena, "%.15g B", value)
                            : arena_print(arena, "%sB", scaled(arena, value, 1000, DECIMAL));
    return amount(arena, value, row->unit);
}
