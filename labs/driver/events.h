/* events.h -- a run's numbers as TensorBoard reads them: a file of events, scalars by name and step.
 *
 *     Events *events = events_begin("/tmp/board", "autoencoder", when, &err);
 *     events_scalar(events, 100, "train_loss", 0.5f);
 *     if (!events_end(events, &err)) ...    // /tmp/board/events.out.tfevents.0.autoencoder
 *
 * Each record is its length, the length's checksum, an Event in protocol buffers' encoding, and that one's
 * checksum (tensorflow/core/lib/io/record_writer.h, core/util/event.proto). All have the same time, since
 * metrics.jsonl holds none.
 */
#pragma once
#include "common/error.h"

typedef struct Events Events;

// Makes the folder. The file appears with events_end(). NULL and a message upon failure.
Events *events_begin(const char *folder, const char *run, double when, Error *err);
void events_scalar(Events *events, long step, const char *tag, float value);
bool events_end(Events *events, Error *err);    // frees it; false: there is no new file
