/* Streams, events, and the copies in them: queued, and carried out when somebody waits for them. */
#define _GNU_SOURCE
#include "objects.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct stream streams[MOST];
struct event events[MOST];

void forget_everything(void)
{
    EACH(block, blocks) close_block(block);
    EACH(pin, pins) free(pin->start);
    EACH(stream, streams) free(stream->queue);
    memset(pins, 0, sizeof pins);
    memset(streams, 0, sizeof streams);
    memset(events, 0, sizeof events);
    forget_devices();
}

void find_leaks(void)
{
    EACH(block, blocks) found("leak-block", "block %d was never closed", (int)(block - blocks));
    EACH(pin, pins) found("leak-pinned", "pinned memory %d was never freed", (int)(pin - pins));
    EACH(stream, streams) found("leak-stream", "stream %d was never destroyed", (int)(stream - streams));
    EACH(event, events) found("leak-event", "event %d was never destroyed", (int)(event - events));
    find_left_contexts();
}

int is_under_way(const struct block *block, const char *start, size_t size)
{
    EACH(stream, streams)
        for (size_t i = stream->done; i < stream->queued; i++) {
            const struct copy *copy = &stream->queue[i];
            if (copy->block == block || (start && copy->target < start + size && start < copy->target + copy->bytes))
                return 1;
        }
    return 0;
}

EXPORT int cuStreamCreate(void **stream, unsigned flags)
{
    int answer = in_context(begin_call("cuStreamCreate", CONTEXT));
    (void)flags;
    if (answer)
        return end_call(answer);
    struct stream *free_one = FREE_ONE(streams);
    *free_one = (struct stream){ .open = 1, .device = current_device() };
    *stream = NAME(STREAM_KIND, free_one - streams);
    return end_call(OK);
}

EXPORT int cuEventCreate(void **event, unsigned flags)
{
    int answer = in_context(begin_call("cuEventCreate", CONTEXT));
    (void)flags;
    if (answer)
        return end_call(answer);
    struct event *free_one = FREE_ONE(events);
    *free_one = (struct event){ .open = 1, .device = current_device() };
    *event = NAME(EVENT_KIND, free_one - events);
    return end_call(OK);
}

static struct stream *stream_of(void *pointer)
{
    uint64_t index = INDEX(STREAM_KIND, pointer);
    if (index < MOST && streams[index].open)
        return &streams[index];
    found("not-open", "a stream was used that is not there");
    return NULL;
}

static struct event *event_of(void *pointer)
{
    uint64_t index = INDEX(EVENT_KIND, pointer);
    if (index < MOST && events[index].open)
        return &events[index];
    found("not-open", "an event was used that is not there");
    return NULL;
}

static uint64_t in_flight(void)
{
    uint64_t sum = 0;
    EACH(stream, streams) sum += stream->queued - stream->done;
    return sum;
}

/* A producer that is gone, or has freed the memory, is a file that has become too short. */
static int is_gone(const struct block *block, uint64_t offset, size_t bytes)
{
    struct stat status;
    return fstat(block->file, &status) != 0 || (uint64_t)status.st_size < offset + bytes;
}

static int carry_out(struct stream *stream, size_t upto)
{
    for (; stream->done < upto; stream->done++) {
        struct copy *copy = &stream->queue[stream->done];
        if (is_gone(copy->block, copy->offset, copy->bytes)) {
            stream->done = stream->queued;
            return broken[stream->device] = ILLEGAL_ADDRESS;
        }
        memcpy(copy->target, copy->block->data + copy->offset, copy->bytes);
    }
    return OK;
}

EXPORT int cuMemcpyDtoHAsync_v2(void *target, uint64_t source, size_t bytes, void *stream_name)
{
    int answer = in_context(begin_call("cuMemcpyDtoHAsync_v2", CONTEXT));
    struct stream *stream = answer ? NULL : stream_of(stream_name);
    struct block *block = block_of(source);
    if (!stream)
        return end_call(answer ? answer : INVALID_HANDLE);
    uint64_t offset = (source - BLOCK_BASE) % BLOCK_SPAN;
    if (!block || offset > block->size || bytes > block->size - offset) {
        found("out-of-range", "%zu bytes were copied from outside of an open block", bytes);
        return end_call(INVALID_VALUE);
    }
    if (block->device != stream->device)
        found("other-device", "a block was copied on a stream of another device");
    if (!block->ranged)
        found("unproven", "a block was copied whose length was never asked for");
    int is_pinned = 0;
    EACH(pin, pins) is_pinned |= pin->start <= (char *)target && (char *)target + bytes <= pin->start + pin->size;
    if (!is_pinned) {
        found("not-pinned", "a copy goes to memory that is not pinned");
        return end_call(INVALID_VALUE);
    }
    if (is_under_way(NULL, target, bytes))
        found("unwaited", "a copy goes over one that was never waited for");
    int is_strict = !setting("FAKE_CUDA_FAST");
    if (is_strict)
        memset(target, 0xDB, bytes);
    if (stream->queued == stream->done)
        stream->queued = stream->done = 0;
    stream->queue = realloc(stream->queue, (stream->queued + 1) * sizeof *stream->queue);
    stream->queue[stream->queued++] = (struct copy){ block, target, offset, bytes };
    counts.copies++;
    counts.bytes += bytes;
    counts.backward += offset < block->last;
    block->last = offset;
    for (uint64_t i = offset; is_strict && i < offset + bytes; i++) {
        counts.distinct += !(block->seen[i / 8] >> i % 8 & 1);
        block->seen[i / 8] |= (unsigned char)(1 << i % 8);
    }
    if (in_flight() > counts.most_in_flight)
        counts.most_in_flight = in_flight();
    return end_call(OK);
}

EXPORT int cuEventRecord(void *event_name, void *stream_name)
{
    int answer = in_context(begin_call("cuEventRecord", CONTEXT));
    struct event *event = event_of(event_name);
    struct stream *stream = stream_of(stream_name);
    if (answer || !event || !stream)
        return end_call(answer ? answer : INVALID_HANDLE);
    event->recorded = 1;
    event->stream = stream;
    event->upto = stream->queued;
    return end_call(OK);
}

EXPORT int cuEventSynchronize(void *event_name)
{
    int answer = in_context(begin_call("cuEventSynchronize", CONTEXT));
    struct event *event = event_of(event_name);
    if (answer || !event)
        return end_call(answer ? answer : INVALID_HANDLE);
    if (!event->recorded)
        return end_call(OK); /* as the real one: there is nothing to wait for */
    answer = carry_out(event->stream, event->upto);
    counts.overlapped_waits += event->stream->queued > event->upto;
    return end_call(answer);
}

EXPORT int cuStreamSynchronize(void *stream_name)
{
    int answer = begin_call("cuStreamSynchronize", CONTEXT);
    struct stream *stream = stream_of(stream_name);
    if (!stream)
        return end_call(INVALID_HANDLE);
    int failed = carry_out(stream, stream->queued);
    return end_call(answer ? answer : failed);
}

EXPORT int cuStreamDestroy_v2(void *stream_name)
{
    int answer = begin_call("cuStreamDestroy_v2", CONTEXT);
    struct stream *stream = stream_of(stream_name);
    if (!stream || !has_context())
        return end_call(INVALID_HANDLE);
    if (stream->queued > stream->done)
        found("unwaited", "a stream was destroyed with copies under way");
    free(stream->queue);
    memset(stream, 0, sizeof *stream);
    return end_call(answer);
}

EXPORT int cuEventDestroy_v2(void *event_name)
{
    int answer = begin_call("cuEventDestroy_v2", CONTEXT);
    struct event *event = event_of(event_name);
    if (!event || !has_context())
        return end_call(INVALID_HANDLE);
    event->open = 0;
    return end_call(answer);
}
