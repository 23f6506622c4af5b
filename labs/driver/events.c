#include "labs/driver/events.h"
#include "common/file.h"
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct Events {
    NewFile file;
    double when;
};

// ---- records ----

// CRC-32C (Castagnoli), rotated, so that the checksum of data that holds checksums is not 0.
static uint32_t checksum(const uint8_t *bytes, size_t count)
{
    uint32_t crc = ~0u;
    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
    }
    crc = ~crc;
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static void put_little_endian(uint8_t *to, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) to[i] = (uint8_t)(value >> 8 * i);
}

static void put_record(FILE *stream, const uint8_t *data, size_t count)
{
    uint8_t head[12], tail[4];
    put_little_endian(head, count, 8);
    put_little_endian(head + 8, checksum(head, 8), 4);
    put_little_endian(tail, checksum(data, count), 4);
    fwrite(head, 1, sizeof head, stream);
    fwrite(data, 1, count, stream);
    fwrite(tail, 1, sizeof tail, stream);
}

// ---- protocol buffers ----

enum { WIRE_NUMBER = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5, TAG_MAX = 200 };

typedef struct Message {
    uint8_t bytes[TAG_MAX + 64];
    size_t count;
} Message;

static void put_varint(Message *m, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) m->bytes[m->count++] = (uint8_t)(value | 0x80);
    m->bytes[m->count++] = (uint8_t)value;
}

static void put_key(Message *m, int field, int wire)
{
    put_varint(m, (uint64_t)(field << 3 | wire));
}

static void put_fixed(Message *m, int field, uint64_t bits, int bytes)
{
    put_key(m, field, bytes == 8 ? WIRE_64 : WIRE_32);
    put_little_endian(m->bytes + m->count, bits, bytes);
    m->count += (size_t)bytes;
}

static void put_bytes(Message *m, int field, const void *bytes, size_t count)
{
    put_key(m, field, WIRE_BYTES);
    put_varint(m, count);
    memcpy(m->bytes + m->count, bytes, count);
    m->count += count;
}

static Message event_at(const Events *events)    // Event.wall_time = 1
{
    Message event = {0};
    uint64_t bits;
    memcpy(&bits, &events->when, sizeof bits);
    put_fixed(&event, 1, bits, 8);
    return event;
}

// ---- the file ----

Events *events_begin(const char *folder, const char *run, double when, Error *err)
{
    static const char version[] = "brain.Event:2";    // Event.file_version = 3, always the first
    char path[PATH_MAX];
    Events *events = calloc(1, sizeof *events);
    REQUIRE(events != NULL, "no memory for a file of events");
    events->when = when;
    int length = snprintf(path, sizeof path, "%s/events.out.tfevents.0.%s", folder, run);
    if (length < 0 || (size_t)length >= sizeof path) error_set(err, "%.60s...: too long", folder);
    else if (file_make_folder(folder, err) && file_begin(&events->file, path, err)) {
        Message event = event_at(events);
        put_bytes(&event, 3, version, sizeof version - 1);
        put_record(events->file.stream, event.bytes, event.count);
        return events;
    }
    free(events);
    return NULL;
}

void events_scalar(Events *events, long step, const char *tag, float value)
{
    Message scalar = {0}, summary = {0}, event = event_at(events);
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_bytes(&scalar, 1, tag, strnlen(tag, TAG_MAX));     // Value.tag = 1
    put_fixed(&scalar, 2, bits, 4);                        // Value.simple_value = 2
    put_bytes(&summary, 1, scalar.bytes, scalar.count);    // Summary.value = 1
    put_key(&event, 2, WIRE_NUMBER);                       // Event.step = 2
    put_varint(&event, (uint64_t)step);
    put_bytes(&event, 5, summary.bytes, summary.count);    // Event.summary = 5
    put_record(events->file.stream, event.bytes, event.count);
}

bool events_end(Events *events, Error *err)
{
    bool good = file_commit(&events->file, err);
    free(events);
    return good;
}
