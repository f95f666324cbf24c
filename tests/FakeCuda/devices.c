/*
 * A stand-in for NVIDIA's libcuda.so.1, for tests on machines without a GPU: the calls that apollo-checkpoint makes, over files. It holds its
 * caller to rules that the real driver only sometimes enforces, and writes down each one that is broken. See README.md.
 *
 * A block of device memory is a file that the test's producer wrote: FAKE_CUDA_MEMORY/ORDINAL/HEX, HEX being the 64 bytes of its handle. It
 * is mapped read-only, and the addresses handed out are no addresses of this process: following one ends the process.
 * An asynchronous copy is queued, its destination filled with 0xDB, and done when the caller waits for it: who does not wait reads 0xDB.
 */
#include "objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct { char bytes[16]; } uuid_bytes;

int broken[MOST_DEVICES];

static int retained[MOST_DEVICES];
static int initialized, entered;
static __thread int stack[16], depth;

int is_initialized(void) { return initialized; }
int current_device(void) { return depth > 0 ? stack[depth - 1] : -1; }
int has_context(void) { return depth > 0; }

int in_context(int injected)
{
    return injected ? injected : depth == 0 ? INVALID_CONTEXT : broken[current_device()];
}

void forget_devices(void)
{
    memset(retained, 0, sizeof retained);
    memset(broken, 0, sizeof broken);
    initialized = entered = depth = 0;
}

void find_left_contexts(void)
{
    for (int i = 0; i < MOST_DEVICES; i++)
        if (retained[i])
            found("leak-context", "the context of device %d was retained %d times more than released", i, retained[i]);
    if (entered)
        found("left-current", "a context was left current on a thread");
}

int device_count(void)
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
