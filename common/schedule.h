/* schedule.h -- how the learning rate moves over a run: a warm-up, then a shape.
 *
 *     Schedule s = {.shape = SCHEDULE_COSINE, .peak = 1e-3f, .floor = 1e-5f, .warmup = 100, .total = 5000};
 *     float rate = schedule_rate(&s, step);
 */
#pragma once

typedef enum ScheduleShape {
    SCHEDULE_CONSTANT,    // peak for ever; the zero value
    SCHEDULE_LINEAR,      // straight from peak to floor
    SCHEDULE_COSINE,      // half a cosine from peak to floor: Loshchilov & Hutter 2017, eq. 5
    SCHEDULE_STEPS,       // peak times `factor` after every `every` steps, never under floor
} ScheduleShape;

typedef struct Schedule {
    ScheduleShape shape;
    float peak, floor;
    long warmup;     // steps that climb linearly from peak/warmup to peak
    long total;      // LINEAR, COSINE: the step at which floor is reached
    long every;      // STEPS
    float factor;    // STEPS
} Schedule;

float schedule_rate(const Schedule *schedule, long step);    // step counts from 0
