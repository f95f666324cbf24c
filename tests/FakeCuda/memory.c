/* Blocks of device memory, which are files, and pinned memory of the host. */
#define _GNU_SOURCE
#include "objects.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct { unsigned char bytes[64]; } ipc_handle;

struct block blocks[MOST_BLOCKS];
struct pinned pins[MOST];

void close_block(struct block *block)
{
    munmap(block->data, block->size);
    close(block->file);
    free(block->seen);
    memset(block, 0, sizeof *block);
}

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
    struct block *block = FREE_ONE(blocks);
    *block = (struct block){ .open = 1, .device = current_device(), .file = file, .size = (size_t)status.st_size };
    memcpy(block->handle, handle.bytes, 64);
    block->data = mmap(NULL, block->size, PROT_READ, MAP_SHARED, file, 0);
    block->seen = calloc(block->size / 8 + 1, 1);
    *pointer = BLOCK_BASE + (uint64_t)(block - blocks) * BLOCK_SPAN;
    counts.opens++;
    return end_call(OK);
}

struct block *block_of(uint64_t pointer)
{
    uint64_t index = (pointer - BLOCK_BASE) / BLOCK_SPAN;
    return pointer >= BLOCK_BASE && index < MOST_BLOCKS && blocks[index].open ? &blocks[index] : NULL;
}

EXPORT int cuIpcCloseMemHandle(uint64_t pointer)
{
    int answer = begin_call("cuIpcCloseMemHandle", CONTEXT);
    struct block *block = block_of(pointer);
    if (!block || (pointer - BLOCK_BASE) % BLOCK_SPAN) {
        found("not-open", "a block was closed that is not open");
        return end_call(INVALID_VALUE);
    }
    if (!has_context())
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
    struct pinned *pin = FREE_ONE(pins);
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
