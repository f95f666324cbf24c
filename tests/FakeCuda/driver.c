/*
 * A stand-in for NVIDIA's libcuda.so.1, for tests on machines without a GPU: the calls that apollo-checkpoint makes, over files. It holds its
 * caller to rules that the real driver only sometimes enforces, and writes down each one that is broken. See README.md.
 *
 * A block of device memory is a file that the test's producer wrote: FAKE_CUDA_MEMORY/ORDINAL/HEX, HEX being the 64 bytes of its handle. It
 * is mapped read-only, and the addresses handed out are no addresses of this process: following one ends the process.
 * An asynchronous copy is queued, its destination filled with 0xDB, and done when the caller waits for it: who does not wait reads 0xDB.
 */
#define _GNU_SOURCE
#include "ledger.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))
#define MOST 4096           /* objects of a kind */
#define MOST_DEVICES 8
#define BLOCK_BASE 0x1000000000000000ull /* not canonical on x86-64 */
#define BLOCK_SPAN (1ull << 40)
#define NAME(kind, index) ((void *)(uintptr_t)((kind) + (index)))
#define INDEX(kind, pointer) ((uint64_t)(uintptr_t)(pointer) - (kind))
enum { CONTEXT_KIND = 0x10000, STREAM_KIND = 0x20000, EVENT_KIND = 0x30000 };

enum { OK = 0, INVALID_VALUE = 1, NOT_INITIALIZED = 3, NO_DEVICE = 100, INVALID_DEVICE = 101, INVALID_CONTEXT = 201, PEER_UNSUPPORTED = 217,
       INVALID_HANDLE = 400, ILLEGAL_ADDRESS = 700 };

typedef struct { unsigned char bytes[64]; } ipc_handle;
typedef struct { char bytes[16]; } uuid_bytes;
struct block { int open, device, file, ranged; unsigned char handle[64]; char *data; size_t size; uint64_t last; unsigned char *seen; };
struct pinned { int open, device; char *start; size_t size; };
struct copy { struct block *block; char *target; uint64_t offset; size_t bytes; };
struct stream { int open, device; struct copy *queue; size_t queued, done; };
struct event { int open, device, recorded; struct stream *stream; size_t upto; };

static struct block blocks[MOST];
static struct pinned pins[MOST];
static struct stream streams[MOST];
static struct event events[MOST];
static int retained[MOST_DEVICES], broken[MOST_DEVICES];
static int initialized, entered;
static __thread int stack[16], depth;

int is_initialized(void) { return initialized; }
int current_device(void) { return depth > 0 ? stack[depth - 1] : -1; }

#define EACH(item, array) for (__typeof__(&(array)[0]) item = (array); item < (array) + MOST; item++) if (item->open)

static void close_block(struct block *block)
{
    munmap(block->data, block->size);
    close(block->file);
    free(block->seen);
    memset(block, 0, sizeof *block);
}

void forget_everything(void)
{
    EACH(block, blocks) close_block(block);
    EACH(pin, pins) free(pin->start);
    EACH(stream, streams) free(stream->queue);
    memset(pins, 0, sizeof pins);
    memset(streams, 0, sizeof streams);
    memset(events, 0, sizeof events);
    memset(retained, 0, sizeof retained);
    memset(broken, 0, sizeof broken);
    initialized = entered = depth = 0;
}

void find_leaks(void)
{
    EACH(block, blocks) found("leak-block", "block %d was never closed", (int)(block - blocks));
    EACH(pin, pins) found("leak-pinned", "pinned memory %d was never freed", (int)(pin - pins));
    EACH(stream, streams) found("leak-stream", "stream %d was never destroyed", (int)(stream - streams));
    EACH(event, events) found("leak-event", "event %d was never destroyed", (int)(event - events));
    for (int i = 0; i < MOST_DEVICES; i++)
        if (retained[i])
            found("leak-context", "the context of device %d was retained %d times more than released", i, retained[i]);
    if (entered)
        found("left-current", "a context was left current on a thread");
}

/* Devices and contexts. */

static int device_count(void)
{
    const char *list = setting("FAKE_CUDA_DEVICES");
    if (!list)
        return 1;
    int n = *list != 0;
    for (; *list; list++)
        n += *list == ',';
    return n < MOST_DEVICES ? n : MOST_DEVICES;
}

EXPORT int cuDriverGetVersion(int *version)
{
    int answer = begin_call("cuDriverGetVersion", NOTHING);
    const char *text = setting("FAKE_CUDA_VERSION");
    *version = text ? atoi(text) : 12040;
    return end_call(answer);
}

EXPORT int cuInit(unsigned flags)
{
    int answer = begin_call("cuInit", NOTHING);
    if (flags != 0)
        found("flags", "cuInit takes no flags");
    if (!answer && device_count() == 0)
        answer = NO_DEVICE;
    initialized |= !answer;
    return end_call(answer);
}

EXPORT int cuDeviceGetCount(int *count)
{
    int answer = begin_call("cuDeviceGetCount", INIT);
    *count = device_count();
    return end_call(answer);
}

EXPORT int cuDeviceGet(int *device, int ordinal)
{
    int answer = begin_call("cuDeviceGet", INIT);
    *device = ordinal;
    return end_call(answer ? answer : ordinal < device_count() ? OK : INVALID_DEVICE);
}

EXPORT int cuDeviceGetName(char *name, int length, int device)
{
    int answer = begin_call("cuDeviceGetName", INIT);
    snprintf(name, length, "Stand-in %d", device);
    return end_call(answer);
}

EXPORT int cuDeviceGetUuid_v2(uuid_bytes *uuid, int device)
{
    int answer = begin_call("cuDeviceGetUuid_v2", INIT);
    const char *text = setting("FAKE_CUDA_DEVICES");
    if (!text)
        text = "5f3c1d2e-0000-1111-2222-333344445555";
    for (; device > 0; device--)
        text = strchr(text, ',') + 1;
    for (int i = 0; i < 16; i++, text += 2) {
        unsigned byte = 0;
        text += *text == '-';
        sscanf(text, "%2x", &byte);
        uuid->bytes[i] = (char)byte;
    }
    return end_call(answer);
}

EXPORT int cuDevicePrimaryCtxRetain(void **context, int device)
{
    int answer = begin_call("cuDevicePrimaryCtxRetain", INIT);
    if (!answer)
        retained[device]++;
    *context = NAME(CONTEXT_KIND, device);
    return end_call(answer);
}

EXPORT int cuDevicePrimaryCtxRelease_v2(int device)
{
    int answer = begin_call("cuDevicePrimaryCtxRelease_v2", INIT);
    if (retained[device] == 0) {
        found("released-twice", "the context of device %d was released more often than retained", device);
        return end_call(INVALID_CONTEXT);
    }
    if (--retained[device] == 0) {
        broken[device] = 0;
        EACH(block, blocks) if (block->device == device) found("released-early", "the context was released with blocks open");
        EACH(stream, streams) if (stream->device == device) found("released-early", "the context was released with streams");
        EACH(pin, pins) if (pin->device == device) found("released-early", "the context was released with pinned memory");
    }
    return end_call(answer);
}

EXPORT int cuCtxPushCurrent_v2(void *context)
{
    int answer = begin_call("cuCtxPushCurrent_v2", INIT);
    uint64_t device = INDEX(CONTEXT_KIND, context);
    if (!answer && (device >= MOST_DEVICES || !retained[device])) {
        found("dead-context", "a context was entered that is not retained");
        answer = INVALID_CONTEXT;
    }
    if (!answer) {
        stack[depth++] = (int)device;
        entered++;
    }
    return end_call(answer);
}

EXPORT int cuCtxPopCurrent_v2(void **context)
{
    int answer = begin_call("cuCtxPopCurrent_v2", CONTEXT);
    if (depth == 0)
        return end_call(INVALID_CONTEXT);
    *context = NAME(CONTEXT_KIND, stack[--depth]);
    entered--;
    return end_call(answer);
}

/* The answer to a call that needs a working context: what was injected, none current, or a context that an earlier failure broke. */
static int in_context(int answer)
{
    return answer ? answer : depth == 0 ? INVALID_CONTEXT : broken[current_device()];
}

/* Blocks. */

static int open_file(const ipc_handle *handle, int device)
{
    const char *memory = setting("FAKE_CUDA_MEMORY");
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%d/", memory ? memory : "/nowhere", device);
    for (int i = 0; i < 64; i++)
        length += snprintf(path + length, sizeof path - length, "%02x", handle->bytes[i]);
    return open(path, O_RDONLY | O_CLOEXEC);
}

EXPORT int cuIpcOpenMemHandle_v2(uint64_t *pointer, ipc_handle handle, unsigned flags)
{
    int answer = in_context(begin_call("cuIpcOpenMemHandle_v2", CONTEXT));
    if (answer)
        return end_call(answer);
    if (flags != 1) {
        found("flags", "cuIpcOpenMemHandle_v2 takes CU_IPC_MEM_LAZY_ENABLE_PEER_ACCESS and nothing else");
        return end_call(INVALID_VALUE);
    }
    EACH(block, blocks) if (memcmp(block->handle, handle.bytes, 64) == 0)
        found("double-open", "block %d was opened while it was open", (int)(block - blocks));
    int file = open_file(&handle, current_device());
    if (file < 0) {
        for (int device = 0; device < device_count(); device++) {
            int other = open_file(&handle, device);
            if (other >= 0) {
                close(other);
                return end_call(PEER_UNSUPPORTED);
            }
        }
        return end_call(INVALID_HANDLE);
    }
    struct stat status;
    fstat(file, &status);
    struct block *block = blocks;
    while (block->open)
        block++;
    *block = (struct block){ .open = 1, .device = current_device(), .file = file, .size = (size_t)status.st_size };
    memcpy(block->handle, handle.bytes, 64);
    block->data = mmap(NULL, block->size, PROT_READ, MAP_SHARED, file, 0);
    block->seen = calloc(block->size / 8 + 1, 1);
    *pointer = BLOCK_BASE + (uint64_t)(block - blocks) * BLOCK_SPAN;
    counts.opens++;
    return end_call(OK);
}

static struct block *block_of(uint64_t pointer)
{
    uint64_t index = (pointer - BLOCK_BASE) / BLOCK_SPAN;
    return pointer >= BLOCK_BASE && index < MOST && blocks[index].open ? &blocks[index] : NULL;
}

static int is_under_way(const struct block *block, const char *start, size_t size)
{
    EACH(stream, streams)
        for (size_t i = stream->done; i < stream->queued; i++) {
            const struct copy *copy = &stream->queue[i];
            if (copy->block == block || (start && copy->target < start + size && start < copy->target + copy->bytes))
                return 1;
        }
    return 0;
}

EXPORT int cuIpcCloseMemHandle(uint64_t pointer)
{
    int answer = begin_call("cuIpcCloseMemHandle", CONTEXT);
    struct block *block = block_of(pointer);
    if (!block || (pointer - BLOCK_BASE) % BLOCK_SPAN) {
        found("not-open", "a block was closed that is not open");
        return end_call(INVALID_VALUE);
    }
    if (depth == 0)
        return end_call(INVALID_CONTEXT);
    if (is_under_way(block, NULL, 0))
        found("unwaited", "a block was closed while it was copied");
    close_block(block);
    return end_call(answer);
}

EXPORT int cuMemGetAddressRange_v2(uint64_t *start, size_t *size, uint64_t pointer)
{
    int answer = in_context(begin_call("cuMemGetAddressRange_v2", CONTEXT));
    struct block *block = block_of(pointer);
    if (answer || !block)
        return end_call(answer ? answer : INVALID_VALUE);
    block->ranged = 1;
    *start = BLOCK_BASE + (uint64_t)(block - blocks) * BLOCK_SPAN;
    *size = block->size;
    return end_call(OK);
}

/* Pinned memory. */

EXPORT int cuMemHostAlloc(void **memory, size_t size, unsigned flags)
{
    int answer = in_context(begin_call("cuMemHostAlloc", CONTEXT));
    (void)flags;
    if (answer)
        return end_call(answer);
    struct pinned *pin = pins;
    while (pin->open)
        pin++;
    *pin = (struct pinned){ .open = 1, .device = current_device(), .start = aligned_alloc(4096, (size + 4095) & ~4095ul), .size = size };
    *memory = pin->start;
    return end_call(OK);
}

EXPORT int cuMemFreeHost(void *memory)
{
    int answer = begin_call("cuMemFreeHost", CONTEXT);
    EACH(pin, pins) if (pin->start == memory) {
        if (is_under_way(NULL, pin->start, pin->size))
            found("unwaited", "pinned memory was freed while it was copied into");
        free(pin->start);
        pin->open = 0;
        return end_call(answer);
    }
    found("not-pinned", "memory was freed that is not pinned");
    return end_call(INVALID_VALUE);
}

/* Streams, events, copies. */

EXPORT int cuStreamCreate(void **stream, unsigned flags)
{
    int answer = in_context(begin_call("cuStreamCreate", CONTEXT));
    (void)flags;
    if (answer)
        return end_call(answer);
    struct stream *free_one = streams;
    while (free_one->open)
        free_one++;
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
    struct event *free_one = events;
    while (free_one->open)
        free_one++;
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
    if (!stream || depth == 0)
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
    if (!event || depth == 0)
        return end_call(INVALID_HANDLE);
    event->open = 0;
    return end_call(answer);
}

/* Names of errors, and the calls that write: nobody who only reads makes them. */

EXPORT int cuGetErrorName(int error, const char **name)
{
    static const struct { int code; const char *name; } known[] = {
        { 1, "CUDA_ERROR_INVALID_VALUE" }, { 2, "CUDA_ERROR_OUT_OF_MEMORY" }, { 3, "CUDA_ERROR_NOT_INITIALIZED" },
        { 46, "CUDA_ERROR_DEVICE_UNAVAILABLE" }, { 100, "CUDA_ERROR_NO_DEVICE" }, { 101, "CUDA_ERROR_INVALID_DEVICE" },
        { 201, "CUDA_ERROR_INVALID_CONTEXT" }, { 205, "CUDA_ERROR_MAP_FAILED" }, { 217, "CUDA_ERROR_PEER_ACCESS_UNSUPPORTED" },
        { 400, "CUDA_ERROR_INVALID_HANDLE" }, { 700, "CUDA_ERROR_ILLEGAL_ADDRESS" }, { 719, "CUDA_ERROR_LAUNCH_FAILED" },
        { 802, "CUDA_ERROR_SYSTEM_NOT_READY" }, { 803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH" }, { 999, "CUDA_ERROR_UNKNOWN" },
    };
    *name = NULL;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].code == error)
            *name = known[i].name;
    return *name ? OK : INVALID_VALUE;
}

#define WRITES(call)                                                   \
    EXPORT int call(void)                                              \
    {                                                                  \
        int answer = begin_call(#call, INIT);                          \
        found("write", "%s writes to the producer's memory", #call);   \
        return end_call(answer);                                       \
    }
WRITES(cuMemcpyHtoD_v2)
WRITES(cuMemcpyHtoDAsync_v2)
WRITES(cuMemcpyDtoD_v2)
WRITES(cuMemcpyDtoDAsync_v2)
WRITES(cuMemcpyAsync)
WRITES(cuMemsetD8_v2)
WRITES(cuMemsetD8Async)
WRITES(cuMemsetD32_v2)
WRITES(cuLaunchKernel)
WRITES(cuMemFree_v2)
